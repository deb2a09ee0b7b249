import redis
import redis.asyncio as aioredis
from redis import Redis

client = Redis.from_url("redis://", socket_timeout=2)  # $ ClientCreation kind=redis timeout=2 timeout_given
async_client = aioredis.Redis(host="x")  # $ ClientCreation kind=redis is_async


def synchronous(key: str):
    client.get(key)  # $ BlockingCall kind=network; CacheRead key=key; RedisCommand command=get key=key args=key
    client.setex(key, 60, "v")  # $ BlockingCall kind=network; CacheWrite key=key ttl=60; RedisCommand command=setex key=key
    client.set(key, "v", ex=5)  # $ BlockingCall kind=network; CacheWrite key=key ttl=5; RedisCommand command=set key=key
    client.incr(key)  # : int  # $ BlockingCall kind=network; RedisCommand command=incr key=key args=key
    client.keys("*")  # $ BlockingCall kind=network; RedisCommand command=keys
    with client.lock("name", timeout=3):  # $ DistributedLock ttl=3
        client.delete(key)  # $ BlockingCall kind=network; CacheDelete key=key; RedisCommand command=delete key=key args=key
    client.flushdb()  # $ BlockingCall kind=network; CacheDelete everything; RedisCommand command=flushdb


async def asynchronous(key: str):
    await async_client.set(key, "v")  # $ CacheWrite key=key; RedisCommand command=set key=key is_async
    await async_client.incr(key)  # : int  # $ RedisCommand command=incr key=key args=key is_async
    async with async_client.pipeline() as pipe:
        pipe.incr(key)  # $ RedisCommand command=incr key=key args=key pipelined
        await pipe.execute()
    async_client.expire(key, 1)  # : Coroutine[bool]  # $ RedisCommand command=expire key=key args=key,1 is_async
    async for found in async_client.scan_iter("x"):  # $ RedisCommand command=scan_iter is_async
        found


def untyped(redis_client, request):
    redis_client.hget("a", "b")  # $ CacheRead sure=False; RedisCommand sure=False command=hget
    request.session.get("x")
    return redis.Redis()  # $ ClientCreation kind=redis
