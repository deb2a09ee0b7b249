"""Strong references to running tasks belong to the process that runs them."""

import asyncio

from fastapi import FastAPI

app = FastAPI()
pending_tasks: set[asyncio.Task[None]] = set()


async def notify(user: str) -> None:
    await asyncio.sleep(1)


@app.post("/orders")
async def order(user: str) -> None:
    task = asyncio.create_task(notify(user))
    pending_tasks.add(task)
    task.add_done_callback(pending_tasks.discard)
