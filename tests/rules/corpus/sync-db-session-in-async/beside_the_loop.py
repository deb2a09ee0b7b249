"""Plain operations, threads, `run_sync`, asynchronous sessions, and what a session does without the database."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))
AsyncSessionLocal = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))


def get_session() -> Iterator[Session]:
    with SessionLocal() as session:
        session.execute(text("select 1"))
        yield session


async def get_async_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as session:
        yield session


@app.get("/plain")
def plain(session: Annotated[Session, Depends(get_session)]) -> int:
    return session.scalar(text("select 1"))


@app.get("/thread")
async def thread(session: Annotated[Session, Depends(get_session)]) -> int:
    session.add(object())
    return await run_in_threadpool(session.scalar, text("select 1"))


@app.get("/bridge")
async def bridge(session: Annotated[AsyncSession, Depends(get_async_session)]) -> int:
    def query(inner: Session) -> int:
        return inner.scalar(text("select 1"))

    await session.execute(text("select 1"))
    await session.run_sync(lambda inner: inner.execute(text("select 1")))
    return await session.run_sync(query)
