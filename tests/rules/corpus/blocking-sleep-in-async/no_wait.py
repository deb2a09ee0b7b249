"""Waits that do not wait, that are asynchronous, or that stand on a thread."""

import asyncio
import queue
import threading
import time

from fastapi import FastAPI

app = FastAPI()
ready = asyncio.Event()
stopped = threading.Event()
jobs: queue.Queue[str] = queue.Queue()
lock = threading.Lock()


@app.get("/event")
async def event() -> None:
    await ready.wait()
    await asyncio.sleep(1)


@app.get("/poll")
async def poll() -> str:
    with lock:
        return jobs.get(block=False)


@app.get("/stopped")
async def is_stopped() -> bool:
    return stopped.wait(timeout=0)


@app.get("/task")
async def task() -> int:
    done = asyncio.ensure_future(asyncio.sleep(0, 3))
    await asyncio.wait([done])
    return done.result()


@app.get("/plain")
def plain() -> None:
    time.sleep(1)
