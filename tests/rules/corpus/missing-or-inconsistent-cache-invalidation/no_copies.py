"""A token and a counter are no copies of rows, and a visit changes nothing that is kept."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from redis.asyncio import Redis
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


@app.get("/books/{book_id}")
async def read(book_id: int, session: SessionDep) -> None:
    book = await session.get_one(Book, book_id)
    await redis.set(f"reset-token:{book_id}", book.title)
    await redis.set(f"visits:{book_id}", 1)


@app.put("/books/{book_id}")
async def rename(book_id: int, title: str, session: SessionDep) -> None:
    book = await session.get_one(Book, book_id)
    book.title = title
    await session.commit()
    await redis.set(f"book:{book_id}", book.title)
