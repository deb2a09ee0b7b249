"""The asynchronous client on the loop, the synchronous one in plain operations, threads and tasks."""

import asyncio

import redis
import redis.asyncio
from celery import Celery
from fastapi import FastAPI

app = FastAPI()
worker = Celery("worker")
sync_client = redis.Redis()
async_client = redis.asyncio.Redis()


@app.get("/asynchronous")
async def asynchronous() -> int:
    async with async_client.pipeline() as batch:
        batch.incr("b")
        await batch.execute()
    return await async_client.incr("a")


@app.get("/plain")
def plain() -> int:
    return sync_client.incr("a")


@app.get("/thread")
async def thread() -> int:
    return await asyncio.to_thread(sync_client.incr, "a")


@worker.task
def count() -> int:
    return sync_client.incr("a")
