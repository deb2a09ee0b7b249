"""Results that decorators remember: of functions that no writer makes forget them."""

from collections.abc import AsyncIterator
from functools import cache, lru_cache
from typing import Annotated

from aiocache import cached
from fastapi import Depends, FastAPI, Request
from fastapi_cache import FastAPICache
from fastapi_cache.decorator import cache as kept
from sqlalchemy import create_engine, select
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


class Label(Base):
    __tablename__ = "labels"
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


@cache
def shelves() -> list[str]:
    with Session(engine) as session:
        return list(session.scalars(select(Shelf.name)))


@cached(ttl=600)
async def title_of(book_id: int) -> str:
    async with sessions() as session:
        return (await session.get_one(Book, book_id)).title


@app.get("/vat/{country_id}")
def read_vat(country_id: int) -> int:
    return vat_of(country_id)


@app.get("/shelves")
def list_shelves() -> list[str]:
    return shelves()


@app.get("/books/{book_id}/title")
async def read_title(book_id: int) -> str:
    return await title_of(book_id)


@app.get("/authors")
@kept(expire=3600, namespace="authors")
async def list_authors(request: Request) -> list[str]:
    async with sessions() as session:
        return list(await session.scalars(select(Author.name)))


@app.get("/labels")
@kept(expire=3600)
async def list_labels(session: SessionDep) -> list[str]:
    return list(await session.scalars(select(Label.name)))


@app.put("/vat/{country_id}")
def change_vat(country_id: int, vat: int) -> None:
    with Session(engine) as session:
        country = session.get_one(Country, country_id)
        country.vat = vat  # finding: missing-or-inconsistent-cache-invalidation: until the process ends
        session.commit()


@app.post("/countries")
def add_country(vat: int) -> None:
    with Session(engine) as session:
        session.add(Country(vat=vat))  # silent: another country is another key
        session.commit()


@app.post("/shelves")
def add_shelf(name: str) -> None:
    with Session(engine) as session:
        session.add(Shelf(name=name))  # finding: missing-or-inconsistent-cache-invalidation: there is one list for all
        session.commit()


@app.put("/books/{book_id}")
async def change_title(book_id: int, title: str, session: SessionDep) -> None:
    book = await session.get_one(Book, book_id)
    book.title = title  # finding: missing-or-inconsistent-cache-invalidation: for ten minutes
    await session.commit()


@app.post("/authors")
async def add_author(name: str, session: SessionDep) -> None:
    session.add(Author(name=name))  # finding: missing-or-inconsistent-cache-invalidation: another namespace is cleared
    await session.commit()
    await FastAPICache.clear(namespace="writers")


@app.post("/labels")
async def add_label(name: str, session: SessionDep) -> None:
    session.add(Label(name=name))  # silent: the session is part of the key, and nothing is found again
    await session.commit()
