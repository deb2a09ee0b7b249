"""FastAPI 0.110 leaves dependencies before it streams."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

app = FastAPI()
factory = async_sessionmaker(create_async_engine("postgresql+asyncpg:///shop"))


async def get_session() -> AsyncIterator[AsyncSession]:
    async with factory() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def rows(session: AsyncSession) -> AsyncIterator[str]:
    result = await session.execute(text("select title from books"))
    for row in result:
        yield row.title


async def own_rows() -> AsyncIterator[str]:
    async with factory() as session:
        async for row in rows(session):
            yield row


@app.get("/books")
async def books(session: SessionDep) -> StreamingResponse:
    return StreamingResponse(rows(session))  # finding: streaming-generator-blocks-or-outlives


@app.get("/inner")
async def inner(session: SessionDep) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        async for row in rows(session):
            yield row

    return StreamingResponse(lines())  # finding: streaming-generator-blocks-or-outlives


@app.get("/own")
async def own(session: SessionDep) -> StreamingResponse:
    await session.execute(text("select 1"))
    return StreamingResponse(own_rows())


@app.get("/read-before")
async def read_before(session: SessionDep) -> StreamingResponse:
    titles = [row.title for row in await session.execute(text("select title from books"))]

    async def lines() -> AsyncIterator[str]:
        for title in titles:
            yield title

    return StreamingResponse(lines())
