"""Dependencies, middleware, websockets, tasks of the lifespan and coroutines further down run on the loop as well."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, Request, Response, WebSocket


def wait() -> None:
    time.sleep(0.1)


async def refresh_for_ever() -> None:
    while True:
        wait()  # finding: blocking-call-through-sync-helper
        await asyncio.sleep(60)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    wait()
    task = asyncio.create_task(refresh_for_ever())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.middleware("http")
async def measure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    wait()  # finding: blocking-call-through-sync-helper
    return await call_next(request)


async def current_user() -> AsyncIterator[str]:
    wait()  # finding: blocking-call-through-sync-helper
    yield "alice"


async def service() -> int:
    wait()  # finding: blocking-call-through-sync-helper
    return 1


async def after_response() -> None:
    wait()  # finding: blocking-call-through-sync-helper


@app.get("/orders")
async def list_orders(user: Annotated[str, Depends(current_user)], tasks: BackgroundTasks) -> int:
    tasks.add_task(after_response)
    return await service()


@app.websocket("/updates")
async def updates(socket: WebSocket) -> None:
    await socket.accept()
    wait()  # finding: blocking-call-through-sync-helper
    await socket.close()


def measured(function: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
    @wraps(function)
    async def wrapper() -> int:
        wait()  # finding: blocking-call-through-sync-helper
        return await function()

    return wrapper


@app.get("/decorated")
@measured
async def decorated() -> int:
    return 1
