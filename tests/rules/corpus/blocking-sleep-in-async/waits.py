"""Other ways to hold the thread: events, queues, threads, futures of pools."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI, WebSocket

app = FastAPI()
ready = threading.Event()
jobs: queue.Queue[str] = queue.Queue()
pool = ThreadPoolExecutor()


@app.get("/event")
async def event() -> None:
    ready.wait(5)  # finding: blocking-sleep-in-async


@app.websocket("/jobs")
async def next_jobs(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        await socket.send_text(jobs.get())  # finding: blocking-sleep-in-async


@app.get("/future")
async def future() -> int:
    return pool.submit(len, "abc").result()  # finding: blocking-sleep-in-async


@app.get("/thread")
async def thread() -> None:
    worker = threading.Thread(target=print)
    worker.start()
    worker.join()  # finding: blocking-sleep-in-async
