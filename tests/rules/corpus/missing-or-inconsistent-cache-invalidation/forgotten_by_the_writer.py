"""Results that decorators remember, and writers that make them forgotten."""

from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Annotated

from aiocache import cached
from fastapi import Depends, FastAPI
from fastapi_cache import FastAPICache
from fastapi_cache.decorator import cache
from sqlalchemy import create_engine, event, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Country(Base):
    __tablename__ = "countries"
    id: Mapped[int] = mapped_column(primary_key=True)
    vat: Mapped[int]


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


app = FastAPI()
engine = create_engine("sqlite:///books.db")
sessions = async_sessionmaker(create_async_engine("sqlite+aiosqlite:///books.db"))


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


@lru_cache(maxsize=128)
def vat_of(country_id: int) -> int:
    with Session(engine) as session:
        return session.get_one(Country, country_id).vat


@lru_cache
def shelves() -> list[str]:
    with Session(engine) as session:
        return list(session.scalars(select(Shelf.name)))


@event.listens_for(Shelf, "after_insert")
def forget_shelves(*_: object) -> None:
    shelves.cache_clear()


@cached(ttl=30)
async def title_of(book_id: int) -> str:
    async with sessions() as session:
        return (await session.get_one(Book, book_id)).title


@app.get("/authors")
@cache(expire=3600, namespace="authors")
async def list_authors() -> list[str]:
    async with sessions() as session:
        return list(await session.scalars(select(Author.name)))


@app.get("/books/{book_id}")
async def read_book(book_id: int) -> str:
    return f"{await title_of(book_id)} {vat_of(1)} {shelves()}"


@app.put("/vat/{country_id}")
def change_vat(country_id: int, vat: int) -> None:
    with Session(engine) as session:
        session.get_one(Country, country_id).vat = vat
        session.commit()
    vat_of.cache_clear()


@app.post("/shelves")
def add_shelf(name: str) -> None:
    with Session(engine) as session:
        session.add(Shelf(name=name))  # silent: a listener makes the list forgotten
        session.commit()


@app.put("/books/{book_id}")
async def change_title(book_id: int, title: str, session: SessionDep) -> None:
    book = await session.get_one(Book, book_id)
    book.title = title  # silent: half a minute
    await session.commit()


@app.post("/authors")
async def add_author(name: str, session: SessionDep) -> None:
    session.add(Author(name=name))
    await session.commit()
    await FastAPICache.clear(namespace="authors")
