"""Limits by default, of the client, around the call, in options, or of a class of the project."""

import asyncio
from typing import Any

import aiohttp
import httpx
import requests
from fastapi import FastAPI

app = FastAPI()
client = httpx.AsyncClient()
ready = asyncio.Event()
OPTIONS: dict[str, Any] = {"timeout": 3}


class Limited(requests.Session):
    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", 3)
        return super().request(*args, **kwargs)


limited = Limited()


@app.get("/default")
async def by_default() -> str:
    return (await client.get("https://books.example")).text


@app.get("/options")
def in_options() -> str:
    return requests.get("https://books.example", **OPTIONS).text + limited.get("https://books.example").text


@app.get("/around")
async def around() -> str:
    async with asyncio.timeout(5):
        async with aiohttp.ClientSession() as session:
            async with session.get("https://books.example") as answer:
                await ready.wait()
                return await answer.text()


@app.get("/around-one")
async def around_one() -> None:
    await asyncio.wait_for(ready.wait(), timeout=5)


@app.get("/each")
async def each() -> str:
    async with aiohttp.ClientSession() as session:
        async with session.get("https://books.example", timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return await answer.text()


@app.get("/events")
async def events() -> str:
    async with client.stream("GET", "https://books.example/events", timeout=None) as answer:
        return str(answer.status_code)
