"""A thread with an event loop of its own cannot use the application's connections; it has to give its own back."""

import asyncio
import threading

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

app = FastAPI()


async def load() -> None:
    engine = create_async_engine("sqlite+aiosqlite:///shop.db")
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    finally:
        await engine.dispose()


def in_a_thread() -> None:
    asyncio.run(load())


async def leak() -> None:
    engine = create_async_engine("sqlite+aiosqlite:///shop.db")  # finding: engine-created-per-call
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


@app.post("/imports")
def start() -> None:
    threading.Thread(target=in_a_thread).start()
    in_a_thread()


@app.post("/leaks")
def start_leak() -> None:
    asyncio.run(leak())
