"""The command may stand in a service, be asynchronous, or empty the database."""

from fastapi import FastAPI
from redis.asyncio import Redis

app = FastAPI()
redis = Redis()


class Cache:
    def __init__(self, client: Redis) -> None:
        self.client = client

    async def forget(self, prefix: str) -> int:
        found = await self.client.keys(f"{prefix}:*")  # finding: redis-keyspace-command-in-request
        return await self.client.delete(*found) if found else 0


cache = Cache(redis)


@app.delete("/cache/{prefix}")
async def forget(prefix: str) -> int:
    return await cache.forget(prefix)


@app.delete("/cache")
async def forget_all() -> None:
    await redis.flushdb()  # finding: redis-keyspace-command-in-request
