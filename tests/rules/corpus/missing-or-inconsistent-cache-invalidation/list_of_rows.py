"""A list is kept for ever, and a new row is not in it."""

import json
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Annotated

from fastapi import Depends, FastAPI
from redis.asyncio import Redis
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    stock: Mapped[int]


app = FastAPI()
redis = Redis()
sessions = async_sessionmaker(create_async_engine("sqlite+aiosqlite:///books.db"))


@lru_cache
def page_size() -> int:
    return 20


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


@app.get("/books")
async def read_all(session: SessionDep) -> list[str]:
    kept = await redis.get("books:titles")
    if kept:
        return json.loads(kept)
    books = (await session.scalars(select(Book))).all()
    titles = [book.title for book in books]
    await redis.set("books:titles", json.dumps(titles))
    return titles


@app.post("/books")
async def add(title: str, session: SessionDep) -> None:
    page_size()
    session.add(Book(title=title, stock=0))  # finding: missing-or-inconsistent-cache-invalidation
    await session.commit()
