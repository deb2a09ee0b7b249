"""Awaited, gathered, kept in a set, an attribute or a dictionary, in a group, or cancelled later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

tasks: set[asyncio.Task[None]] = set()


async def notify() -> None:
    await asyncio.sleep(1)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    poller = asyncio.create_task(notify())
    app.state.other = asyncio.create_task(notify())
    yield
    poller.cancel()


app = FastAPI(lifespan=lifespan)


@app.post("/kept")
async def kept() -> None:
    task = asyncio.create_task(notify())
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    tasks.add(asyncio.create_task(notify()))
    first = asyncio.create_task(notify())
    await first
    await asyncio.gather(asyncio.create_task(notify()), notify())
    async with asyncio.TaskGroup() as group:
        group.create_task(notify())


@app.post("/inner")
async def used_in_an_inner_function() -> None:
    task = asyncio.create_task(notify())

    async def finish() -> None:
        await task

    await finish()
