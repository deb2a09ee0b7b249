"""A recent FastAPI: pinned connections, blocking loops, listeners that stay."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import httpx
import requests
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

app = FastAPI()
factory = async_sessionmaker(create_async_engine("postgresql+asyncpg:///shop"))
listeners: set[asyncio.Queue[str]] = set()
client = httpx.AsyncClient()


async def get_session() -> AsyncIterator[AsyncSession]:
    async with factory() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def rows(session: AsyncSession) -> AsyncIterator[str]:
    for row in await session.execute(text("select title from books")):
        yield row.title


async def enriched(session: AsyncSession) -> AsyncIterator[str]:
    for row in await session.execute(text("select title from books")):
        yield (await client.get(f"https://covers.example/{row.title}")).text


@app.get("/quick")
async def quick(session: SessionDep) -> StreamingResponse:
    return StreamingResponse(rows(session))


@app.get("/slow")
async def slow(session: SessionDep) -> StreamingResponse:
    return StreamingResponse(enriched(session))  # finding: streaming-generator-blocks-or-outlives


@app.get("/short")
async def short(
    session: Annotated[AsyncSession, Depends(get_session, scope="function")],
) -> StreamingResponse:
    return StreamingResponse(rows(session))  # finding: streaming-generator-blocks-or-outlives


@app.get("/block")
async def block() -> StreamingResponse:
    async with factory() as session:
        return StreamingResponse(rows(session))  # finding: streaming-generator-blocks-or-outlives


async def proxied() -> AsyncIterator[bytes]:
    response = await asyncio.to_thread(requests.get, "https://files.example", stream=True, timeout=5)
    for chunk in response.iter_content(1024):  # finding: streaming-generator-blocks-or-outlives
        yield chunk


def proxied_on_thread() -> Iterator[bytes]:
    response = requests.get("https://files.example", stream=True, timeout=5)
    yield from response.iter_content(1024)


async def proxied_async() -> AsyncIterator[bytes]:
    async with client.stream("GET", "https://files.example") as response:
        async for chunk in response.aiter_bytes():
            yield chunk


@app.get("/files")
async def files() -> StreamingResponse:
    return StreamingResponse(proxied())


@app.get("/files-thread")
async def files_on_thread() -> StreamingResponse:
    return StreamingResponse(proxied_on_thread())


@app.get("/files-async")
async def files_async() -> StreamingResponse:
    return StreamingResponse(proxied_async())


async def counted() -> AsyncIterator[str]:
    lines = []
    while True:
        line = str(len(lines))
        lines.append(line)
        yield line
        await asyncio.sleep(1)


async def listened() -> AsyncIterator[str]:
    queue: asyncio.Queue[str] = asyncio.Queue()
    listeners.add(queue)  # finding: streaming-generator-blocks-or-outlives
    while True:
        yield await queue.get()


async def listened_and_left() -> AsyncIterator[str]:
    queue: asyncio.Queue[str] = asyncio.Queue()
    listeners.add(queue)
    try:
        while True:
            yield await queue.get()
    finally:
        listeners.discard(queue)


@app.get("/counted")
async def count() -> StreamingResponse:
    return StreamingResponse(counted())


@app.get("/listened")
async def listen() -> StreamingResponse:
    body = listened()
    return StreamingResponse(body)


@app.get("/listened-and-left")
async def listen_and_leave() -> StreamingResponse:
    return StreamingResponse(listened_and_left())
