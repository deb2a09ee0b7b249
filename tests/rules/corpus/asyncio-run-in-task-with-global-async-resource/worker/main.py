"""Threads beside the loop that serves."""

import asyncio
from threading import Thread

from fastapi import FastAPI
from tasks import count_books, count_unpooled

app = FastAPI()


def report() -> None:
    asyncio.run(count_books())  # finding: asyncio-run-in-task-with-global-async-resource


def report_unpooled() -> None:
    asyncio.run(count_unpooled())


@app.post("/report")
async def start_report() -> None:
    Thread(target=report).start()
    Thread(target=report_unpooled).start()


@app.post("/executor")
async def in_executor() -> None:
    loop = asyncio.get_running_loop()
    loop.run_in_executor(None, lambda: asyncio.run(count_books()))  # finding: asyncio-run-in-task-with-global-async-resource


@app.get("/books")
def books() -> int:
    return asyncio.run(count_books())  # finding: asyncio-run-in-task-with-global-async-resource


@app.get("/awaited")
async def awaited() -> int:
    return await count_books()
