"""One writer drops the key through functions, another hands that on, a third drops by pattern."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI
from redis.asyncio import Redis
from sqlalchemy import delete
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


def book_key(book_id: int) -> str:
    return f"book:{book_id}"


class Cache:
    def __init__(self, redis: Redis) -> None:
        self.redis = redis

    async def keep(self, key: str, value: str) -> None:
        await self.redis.set(key, value)

    async def drop(self, key: str) -> None:
        await self.redis.delete(key)


cache = Cache(redis)


async def forget(book_id: int) -> None:
    await cache.drop(book_key(book_id))


@app.get("/books/{book_id}")
async def read(book_id: int, session: SessionDep) -> str:
    book = await session.get_one(Book, book_id)
    await cache.keep(book_key(book_id), book.title)
    return book.title


async def rename_row(session: AsyncSession, book_id: int, title: str) -> None:
    book = await session.get_one(Book, book_id)
    book.title = title
    await session.commit()


@app.put("/books/{book_id}")
async def rename(book_id: int, title: str, session: SessionDep) -> None:
    await rename_row(session, book_id, title)
    await forget(book_id)


@app.delete("/books/{book_id}")
async def remove(book_id: int, background: BackgroundTasks, session: SessionDep) -> None:
    await session.execute(delete(Book).where(Book.id == book_id))
    await session.commit()
    background.add_task(forget, book_id)


@app.delete("/books")
async def remove_all(session: SessionDep) -> None:
    await session.execute(delete(Book).where(Book.stock == 0))
    await session.commit()
    async for key in redis.scan_iter(match="book:*"):
        await redis.unlink(key)
