"""Everything that blocks is handed over, runs on a thread anyway, or runs once before the first request."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import Annotated

from anyio import to_thread
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

pool = ThreadPoolExecutor()


def wait(seconds: float = 0.1) -> float:
    time.sleep(seconds)
    return seconds


def warm() -> None:
    wait()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    warm()
    yield


app = FastAPI(lifespan=lifespan)


@lru_cache
def settings() -> dict[str, float]:
    return {"pause": wait()}


_client: object = None


def client() -> object:
    global _client
    if _client is None:
        _client = wait()
    return _client


def blocking_dependency() -> Iterator[float]:
    yield wait()


def lines() -> Iterator[str]:
    wait()
    yield "line"


async def fresh_loop() -> float:
    return wait()


def nightly() -> float:
    return asyncio.run(fresh_loop())


@app.get("/threads")
async def threads(value: Annotated[float, Depends(blocking_dependency)], tasks: BackgroundTasks) -> float:
    loop = asyncio.get_running_loop()
    await run_in_threadpool(wait, 0.1)
    await run_in_threadpool(lambda: wait(0.1))
    await asyncio.to_thread(partial(wait, 0.1))
    await to_thread.run_sync(wait)
    await loop.run_in_executor(pool, wait)
    pool.submit(wait)
    tasks.add_task(wait)
    client()
    return settings()["pause"] + value


@app.get("/plain")
def plain() -> float:
    return wait()


@app.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(lines())
