"""A cache, a global behind a test, and the lifespan make it once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache

from fastapi import FastAPI, Request
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

URL = "sqlite:///shop.db"
_engine: Engine | None = None
_engines: dict[str, Engine] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.engine = create_async_engine("sqlite+aiosqlite:///shop.db")
    yield
    await app.state.engine.dispose()


app = FastAPI(lifespan=lifespan)


@lru_cache
def cached_engine() -> Engine:
    return create_engine(URL)


def lazy_engine() -> Engine:
    global _engine  # noqa: PLW0603
    if _engine is None:
        _engine = create_engine(URL)
    return _engine


def named_engine(name: str) -> Engine:
    if name not in _engines:
        _engines[name] = create_engine(URL)
    return _engines[name]


class Database:
    """Made once, behind the test for absence in `database`."""

    def __init__(self) -> None:
        self.engine = create_engine(URL)


_database: Database | None = None


def database() -> Database:
    global _database  # noqa: PLW0603
    if _database is None:
        _database = Database()
    return _database


@app.get("/orders")
async def count(request: Request) -> int:
    for engine in (cached_engine(), lazy_engine(), named_engine("orders"), database().engine):
        with engine.connect() as connection:
            connection.scalar(text("select 1"))
    async with request.app.state.engine.connect() as connection:
        return await connection.scalar(text("select count(*) from orders")) or 0
