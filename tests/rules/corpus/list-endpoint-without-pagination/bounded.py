"""Bounded: by a checked limit, by a clamp, by one parent, by given keys, by grouping; a lookup table is small."""

from typing import Annotated

from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
PageLimit = Annotated[int, Query(ge=1, le=100)]


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int]


class Country(Base):
    __tablename__ = "countries"

    id: Mapped[int] = mapped_column(primary_key=True)


class BookOut(BaseModel):
    id: int


class CountryOut(BaseModel):
    id: int


def get_session() -> Session:
    raise NotImplementedError


SessionDep = Annotated[Session, Depends(get_session)]


@app.get("/a/books")
def checked(session: SessionDep, limit: PageLimit = 20) -> list[BookOut]:
    return list(session.scalars(select(Book).limit(limit)))


@app.get("/b/books")
def clamped(session: SessionDep, limit: int = 20) -> list[BookOut]:
    return list(session.scalars(select(Book).limit(min(max(limit, 1), 100))))


@app.get("/authors/{author_id}/books")
def of_one_author(session: SessionDep, author_id: int) -> list[BookOut]:
    return list(session.scalars(select(Book).where(Book.author_id == author_id)))


@app.get("/c/books")
def given(session: SessionDep, ids: Annotated[list[int], Query(max_length=50)]) -> list[BookOut]:
    return list(session.scalars(select(Book).where(Book.id.in_(ids))))


@app.get("/d/books")
def grouped(session: SessionDep) -> list[BookOut]:
    rows = session.execute(select(Book.author_id, func.count()).group_by(Book.author_id))
    return [BookOut(id=row[0]) for row in rows]


@app.get("/countries")
def lookup(session: SessionDep) -> list[CountryOut]:
    return list(session.scalars(select(Country)))
