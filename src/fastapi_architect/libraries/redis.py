"""redis-py: the synchronous client, the asynchronous one, pipelines and locks."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.cache import CacheDelete, CacheRead, CacheWrite, DistributedLock, RedisCommand
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.http import ClientCreation
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import awaitable, coroutines, inherit
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.types import BOOL, FLOAT, INT, NONE, Instance, Type, union

SYNC = "redis.Redis"
ASYNC = "redis.asyncio.Redis"
_PIPELINE = "redis.client.Pipeline"
_ASYNC_PIPELINE = "redis.asyncio.client.Pipeline"

COMMANDS = (
    "append bitcount blmove blpop brpop brpoplpush bzpopmax bzpopmin copy dbsize decr decrby delete dump "
    "echo eval evalsha "
    "execute_command exists expire expireat expiretime flushall flushdb geoadd geodist geopos geosearch get "
    "getbit getdel getex "
    "getrange getset hdel hexists hexpire hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hscan "
    "hset hsetnx hvals incr "
    "incrby incrbyfloat info keys lindex linsert llen lmove lpop lpos lpush lpushx lrange lrem lset ltrim "
    "mget mset msetnx persist "
    "pexpire pexpireat pfadd pfcount ping psetex pttl publish rename renamenx rpop rpoplpush rpush rpushx "
    "sadd save scan "
    "scan_iter hscan_iter sscan_iter zscan_iter scard script_load sdiff sdiffstore set setbit setex setnx "
    "setrange sinter "
    "sinterstore sismember smembers smismember smove sort spop srandmember srem sscan strlen sunion "
    "sunionstore time touch ttl "
    "type unlink wait xack xadd xautoclaim xclaim xdel xgroup_create xlen xpending xrange xread xreadgroup "
    "xrevrange xtrim zadd "
    "zcard zcount zincrby zinterstore zpopmax zpopmin zrange zrangebyscore zrank zrem zremrangebyrank "
    "zremrangebyscore "
    "zrevrange zrevrangebyscore zrevrank zscan zscore zunionstore"
).split()
_ITERATORS = frozenset({"scan_iter", "hscan_iter", "sscan_iter", "zscan_iter"})

library = Library(
    packages=("redis", "aioredis", "fakeredis"),
    aliases={
        "redis.StrictRedis": SYNC,
        "redis.client.Redis": SYNC,
        "redis.client.StrictRedis": SYNC,
        "redis.cluster.RedisCluster": "redis.RedisCluster",
        "redis.utils.from_url": "redis.from_url",
        "redis.asyncio.client.Redis": ASYNC,
        "redis.asyncio.StrictRedis": ASYNC,
        "redis.asyncio.utils.from_url": "redis.asyncio.from_url",
        "redis.asyncio.cluster.RedisCluster": "redis.asyncio.RedisCluster",
        "aioredis.*": "redis.asyncio",
        "fakeredis.FakeRedis": SYNC,
        "fakeredis.FakeStrictRedis": SYNC,
        "fakeredis.FakeAsyncRedis": ASYNC,
        "fakeredis.aioredis.FakeRedis": ASYNC,
        **{
            f"redis.{name}": f"redis.exceptions.{name}"
            for name in (
                "RedisError",
                "ConnectionError",
                "TimeoutError",
                "ResponseError",
                "WatchError",
                "DataError",
            )
        },
    },
    bases={"redis.RedisCluster": (SYNC,), "redis.asyncio.RedisCluster": (ASYNC,)},
)
inherit(
    library,
    """redis.exceptions
    RedisError: builtins.Exception
    ConnectionError TimeoutError ResponseError WatchError DataError PubSubError LockError: RedisError
    AuthenticationError BusyLoadingError MaxConnectionsError: ConnectionError
    LockNotOwnedError: LockError
    """,
)

# ── what calls give ───────────────────────────────────────────────────────────────────────────────────────

_bytes_or_none = union(Instance("redis.value()"), NONE) or NONE
_RESULTS: dict[str, Type] = {
    **dict.fromkeys("get hget lpop rpop getdel getex getset lindex spop".split(), _bytes_or_none),
    **dict.fromkeys("exists sismember hexists expire setnx persist".split(), BOOL),
    **dict.fromkeys(
        "incr incrby decr decrby delete unlink ttl pttl llen scard zcard hlen dbsize publish".split(), INT
    ),
    "zscore": union(FLOAT, NONE) or NONE,
}
calls = library.calls
for _name in COMMANDS:
    _of = _RESULTS.get(_name, Instance("redis.value()"))
    if _name in _ITERATORS:
        calls[f"{SYNC}.{_name}"] = calls[f"{ASYNC}.{_name}"] = Instance("collections.abc.Iterator", (None,))
        continue
    calls[f"{SYNC}.{_name}"] = _of
    calls[f"{ASYNC}.{_name}"] = awaitable(_of)
    calls[f"{_PIPELINE}.{_name}"] = Instance(_PIPELINE)
    calls[f"{_ASYNC_PIPELINE}.{_name}"] = Instance(_ASYNC_PIPELINE)
calls["redis.from_url"] = calls[f"{SYNC}.from_url"] = Instance(SYNC)
calls["redis.asyncio.from_url"] = calls[f"{ASYNC}.from_url"] = Instance(ASYNC)
calls[f"{SYNC}.pipeline"] = Instance(_PIPELINE)
calls[f"{ASYNC}.pipeline"] = Instance(_ASYNC_PIPELINE)
calls[f"{SYNC}.lock"] = Instance("redis.lock.Lock")
calls[f"{ASYNC}.lock"] = Instance("redis.asyncio.lock.Lock")
calls[f"{SYNC}.pubsub"] = Instance("redis.client.PubSub")
calls[f"{ASYNC}.pubsub"] = Instance("redis.asyncio.client.PubSub")
calls[f"{SYNC}.register_script"] = calls[f"{ASYNC}.register_script"] = Instance("redis.Script()")
coroutines(library, ASYNC, "aclose close initialize")
coroutines(library, _ASYNC_PIPELINE, "execute watch unwatch reset")
coroutines(
    library,
    "redis.asyncio.client.PubSub",
    "subscribe unsubscribe psubscribe punsubscribe get_message aclose close",
)
coroutines(library, "redis.asyncio.lock.Lock", "acquire release extend locked owned")

# ── what calls mean ───────────────────────────────────────────────────────────────────────────────────────

_WORDS = ("redis", "rdb", "cache_client", "redis_client")
_OWNERS = (SYNC, ASYNC, _PIPELINE, _ASYNC_PIPELINE)
_NAMES = [f"{owner}.{command}" for owner in _OWNERS for command in COMMANDS]


def _is_async(call: RecognisedCall) -> bool:
    return call.name.startswith("redis.asyncio.") or (not call.sure and call.site.awaited)


@library.recognise(RedisCommand, names=_NAMES, duck=dict.fromkeys(COMMANDS, _WORDS))
def _command(call: RecognisedCall) -> Iterator[RedisCommand]:
    pipelined = ".Pipeline." in call.name
    yield RedisCommand(
        *call.place,
        command=call.method,
        key=call.argument(0, "name") or call.argument(0, "key") or call.argument(0, "names"),
        args=tuple(call.node.args),
        keywords=tuple(call.node.keywords),
        client=call.receiver,
        is_async=_is_async(call) and not pipelined,
        pipelined=pipelined,
    )


_READS = ("get", "mget", "hget", "hgetall", "getex", "exists", "hmget")
_WRITES = ("set", "setex", "psetex", "hset", "mset", "setnx", "hmset")
_DROPS = ("delete", "unlink", "hdel", "flushdb", "flushall")


@library.recognise(
    CacheRead,
    CacheWrite,
    CacheDelete,
    names=[f"{owner}.{name}" for owner in _OWNERS for name in (*_READS, *_WRITES, *_DROPS)],
    duck=dict.fromkeys((*_READS, *_WRITES, *_DROPS), _WORDS),
)
def _cache(call: RecognisedCall) -> Iterator[Concept]:
    method = call.method
    key = call.argument(0, "name")
    if method in _READS:
        yield CacheRead(*call.place, key=key, cache=call.receiver)
    elif method in _DROPS:
        yield CacheDelete(*call.place, key=key, everything=method.startswith("flush"), cache=call.receiver)
    elif method in ("setex", "psetex"):
        yield CacheWrite(
            *call.place,
            key=key,
            value=call.argument(2, "value"),
            ttl=call.argument(1, "time"),
            cache=call.receiver,
        )
    else:
        ttl = call.argument(2, "ex") if method == "set" else None
        ttl = ttl or next(
            (k.value for k in call.node.keywords if k.arg in ("px", "exat", "pxat", "keepttl")), None
        )
        yield CacheWrite(*call.place, key=key, value=call.argument(1, "value"), ttl=ttl, cache=call.receiver)


for _owner, _async in ((SYNC, False), (ASYNC, True)):
    describe(
        library,
        DistributedLock,
        [f"{_owner}.lock"],
        key=Argument(0, "name"),
        ttl=Argument(1, "timeout"),
        is_async=_async,
    )


@library.recognise(
    ClientCreation,
    names=[
        f"redis.{module}{name}"
        for module in ("", "asyncio.")
        for name in ("Redis", "RedisCluster", "from_url", "Redis.from_url", "RedisCluster.from_url")
    ],
)
def _client(call: RecognisedCall) -> Iterator[ClientCreation]:
    timeout = call.keyword("socket_timeout")
    url = call.method == "from_url"
    yield ClientCreation(
        *call.place,
        kind="redis",
        is_async="asyncio" in call.name,
        timeout=timeout,
        timeout_given=timeout is not None,
        url=call.argument(0, "url" if url else "host"),
        managed=call.managed,
    )


describe(
    library,
    BlockingCall,
    [
        *(f"{SYNC}.{name}" for name in COMMANDS if name not in _ITERATORS),
        f"{_PIPELINE}.execute",
        "redis.lock.Lock.acquire",
        "redis.client.PubSub.get_message",
        "redis.client.PubSub.listen",
    ],
    kind="network",
    instead="await redis.asyncio.Redis(...)",
)
