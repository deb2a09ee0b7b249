"""Closed behind the yield, by `async with`, by an exit stack, in a `finally`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI


async def poll() -> None:
    await asyncio.sleep(60)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.client = httpx.AsyncClient()
    poller = asyncio.create_task(poll())
    async with AsyncExitStack() as stack, httpx.AsyncClient() as other:
        app.state.third = await stack.enter_async_context(httpx.AsyncClient())
        app.state.other = other
        try:
            yield
        finally:
            poller.cancel()
    await app.state.client.aclose()


app = FastAPI(lifespan=lifespan)
