"""The same calls where they hold nobody up: a plain operation, a thread, an asynchronous client, before the start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import requests
from fastapi import FastAPI


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    requests.get("https://books.example/ready", timeout=3)
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/plain")
def plain() -> str:
    return requests.get("https://books.example", timeout=3).text


@app.get("/thread")
async def thread() -> str:
    answer = await asyncio.to_thread(requests.get, "https://books.example", timeout=3)
    return answer.text


@app.get("/lambda")
async def with_lambda() -> str:
    answer = await asyncio.to_thread(lambda: requests.get("https://books.example", timeout=3))
    return answer.text


@app.get("/inner")
async def with_an_inner_function() -> str:
    def work() -> str:
        return requests.get("https://books.example", timeout=3).text

    return await asyncio.to_thread(work)


@app.get("/asynchronous")
async def asynchronous() -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get("https://books.example")).text
