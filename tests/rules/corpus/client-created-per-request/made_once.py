"""At module level, in the lifespan, under a cache, on the first use, in a task."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Annotated

import httpx
from celery import Celery
from fastapi import Depends, FastAPI, Request

shared = httpx.AsyncClient()
worker = Celery("shop")
_lazy: httpx.AsyncClient | None = None
_by_host: dict[str, httpx.AsyncClient] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.client = httpx.AsyncClient()
    yield
    await app.state.client.aclose()


app = FastAPI(lifespan=lifespan)


@lru_cache
def cached_client() -> httpx.AsyncClient:
    return httpx.AsyncClient()


def lazy_client() -> httpx.AsyncClient:
    global _lazy
    if _lazy is None:
        _lazy = httpx.AsyncClient()
    return _lazy


def client_of(host: str) -> httpx.AsyncClient:
    if host not in _by_host:
        _by_host[host] = httpx.AsyncClient()
    return _by_host[host]


async def client_of_the_application(request: Request) -> httpx.AsyncClient:
    client = getattr(request.app.state, "late_client", None)
    if client is not None and not client.is_closed:
        return client
    async with lock:
        client = httpx.AsyncClient()
        request.app.state.late_client = client
        return client


class Flagged:
    def __init__(self) -> None:
        self.ready = False
        self.client: httpx.AsyncClient | None = None

    async def prepare(self) -> None:
        if not self.ready:
            self.client = httpx.AsyncClient()
            self.ready = True


flagged = Flagged()
lock = asyncio.Lock()


class Service:
    def __init__(self) -> None:
        self.client = httpx.AsyncClient()


service = Service()


@worker.task
def nightly() -> None:
    with httpx.Client() as client:
        client.get("https://books.example")


@app.get("/")
async def read(request: Request, cached: Annotated[httpx.AsyncClient, Depends(cached_client)]) -> list[str]:
    await flagged.prepare()
    clients = [request.app.state.client, await client_of_the_application(request), cached, lazy_client(), client_of("a"), service.client, shared]
    return [(await client.get("https://books.example")).text for client in clients]
