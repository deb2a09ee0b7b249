"""At module level, in the lifespan, under a cache, on the first use, in a task."""

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
    clients = [request.app.state.client, cached, lazy_client(), client_of("a"), service.client, shared]
    return [(await client.get("https://books.example")).text for client in clients]
