"""In a dependency, in a service made for the request, in a helper; Redis and templates too."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import requests
from fastapi import Depends, FastAPI
from jinja2 import Environment
from redis.asyncio import Redis

app = FastAPI()


async def get_client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:  # finding: client-created-per-request
        yield client


class Rates:
    def __init__(self) -> None:
        self.session = requests.Session()  # finding: client-created-per-request

    def read(self) -> str:
        return self.session.get("https://rates.example", timeout=3).text


def render(text: str) -> str:
    return Environment(autoescape=True).from_string(text).render()  # finding: client-created-per-request


@app.get("/books")
async def list_books(client: Annotated[httpx.AsyncClient, Depends(get_client)]) -> str:
    return (await client.get("https://books.example")).text


@app.get("/rates")
def read_rates(rates: Annotated[Rates, Depends()]) -> str:
    return rates.read()


@app.get("/page")
def page() -> str:
    return render("Hello")


@app.get("/visits")
async def visits() -> int:
    cache = Redis(host="cache")  # finding: client-created-per-request
    return await cache.incr("visits")
