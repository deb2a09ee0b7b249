"""The synchronous Redis client on the loop: commands, pipelines, a client that is injected."""

from typing import Annotated

import redis
from fastapi import Depends, FastAPI

app = FastAPI()
client = redis.from_url("redis://cache")


def get_client() -> redis.Redis:
    return client


ClientDep = Annotated[redis.Redis, Depends(get_client)]


@app.get("/injected")
async def injected(cache: ClientDep) -> int:
    cache.set("a", 1)  # finding: sync-network-client-in-async
    return cache.incr("a")


@app.get("/pipeline")
async def pipeline() -> list[int]:
    with client.pipeline() as batch:
        batch.incr("a")
        batch.incr("b")
        return batch.execute()  # finding: sync-network-client-in-async
