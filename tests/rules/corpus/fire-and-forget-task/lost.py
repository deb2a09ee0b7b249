"""Thrown away, put into a name that nobody reads, started by the loop itself or by `ensure_future`."""

import asyncio

from fastapi import FastAPI

app = FastAPI()


async def notify() -> None:
    await asyncio.sleep(1)


@app.post("/unused")
async def unused_name() -> None:
    task = asyncio.create_task(notify())  # finding: fire-and-forget-task


@app.post("/ensure")
async def ensure() -> None:
    asyncio.ensure_future(notify())  # finding: fire-and-forget-task


@app.post("/loop")
async def by_the_loop(urgent: bool = False) -> None:
    if urgent: asyncio.get_running_loop().create_task(notify())  # finding: fire-and-forget-task
