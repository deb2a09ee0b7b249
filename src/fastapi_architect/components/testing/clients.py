"""An asynchronous client in the test's own event loop, for tests that do many things at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@asynccontextmanager
async def asgi_client(
    app: ASGIApp, *, base_url: str = "http://testserver", **options: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """Run the application's lifespan and yield a client of it; an error in a route is a 500, as behind a server.

    Args:
        app: any ASGI application.
        base_url: of the requests.
        options: for `httpx2.AsyncClient`, such as `headers`.

    Raises:
        RuntimeError: the application did not start, or did not stop.
    """
    async with _lifespan(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(state)}, receive, send)

        transport = httpx2.ASGITransport(with_state, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=base_url, **options) as client:
            yield client


@asynccontextmanager
async def _lifespan(app: ASGIApp) -> AsyncIterator[dict[str, Any]]:
    state: dict[str, Any] = {}
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}
    # A task of its own, because what a lifespan opens has to be closed in the task that opened it.
    running = asyncio.create_task(_run(app, scope, to_app, from_app))
    try:
        await _ask("startup", to_app, from_app)
        yield state
        await _ask("shutdown", to_app, from_app)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _run(
    app: ASGIApp, scope: Scope, to_app: "asyncio.Queue[Message]", from_app: "asyncio.Queue[Message]"
) -> None:
    try:
        await app(scope, to_app.get, from_app.put)
    except Exception as error:
        await from_app.put({"type": "lifespan.failed", "message": repr(error)})


async def _ask(what: str, to_app: "asyncio.Queue[Message]", from_app: "asyncio.Queue[Message]") -> None:
    await to_app.put({"type": f"lifespan.{what}"})
    answer = await from_app.get()
    if answer["type"] != f"lifespan.{what}.complete":
        raise RuntimeError(f"{what} of the application failed: {answer.get('message', '')}")
