"""A listener drops the key of a changed row; a key with a version is never read again."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from sqlalchemy import event, select
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


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


def drop(mapper: object, connection: object, target: Book) -> None:
    SyncRedis().delete(f"book:{target.id}")


event.listen(Book, "after_update", drop)


@app.get("/books/{book_id}")
async def read(book_id: int, session: SessionDep) -> dict[str, str]:
    kept = await redis.get(f"book:{book_id}")
    if kept:
        return json.loads(kept)
    book = (await session.execute(select(Book).where(Book.id == book_id))).scalar_one()
    shown = {"title": book.title}
    await redis.set(f"book:{book_id}", json.dumps(shown))
    return shown


@app.get("/titles/{book_id}")
async def read_title(book_id: int, version: int, session: SessionDep) -> str:
    book = await session.get_one(Book, book_id)
    await redis.set(f"title:{book_id}:{version}", book.title)
    return book.title


@app.put("/books/{book_id}")
async def rename(book_id: int, title: str, session: SessionDep) -> None:
    book = await session.get_one(Book, book_id)
    book.title = title
    await session.commit()
