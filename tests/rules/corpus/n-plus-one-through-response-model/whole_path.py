"""Options for the whole path, or given to the dependency that loads, a mapper that loads eagerly, and one single row take no query for each row."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
from sqlalchemy.sql.base import ExecutableOption

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Country(Base):
    __tablename__ = "countries"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Author(Base):
    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    country_id: Mapped[int] = mapped_column(ForeignKey("countries.id"))
    country: Mapped[Country] = relationship()


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship()


class CountryOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str


class AuthorOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    country: CountryOut


class BookOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    author: AuthorOut


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


class Books:
    def __init__(self, session: Annotated[Session, Depends(get_session)]) -> None:
        self.session = session

    def page(self) -> list[Book]:
        return list(self.session.scalars(select(Book).options(selectinload(Book.author).selectinload(Author.country)).limit(50)))


@app.get("/books", response_model=list[BookOut])
def list_books(books: Annotated[Books, Depends()]) -> list[Book]:
    return books.page()


@app.get("/books/{book_id}", response_model=BookOut)
def get_book(book_id: int, session: Annotated[Session, Depends(get_session)]) -> Book:
    return session.get_one(Book, book_id)


class Shelf:
    def __init__(self, *options: ExecutableOption) -> None:
        self.options = options

    def __call__(self, first: int, session: Annotated[Session, Depends(get_session)]) -> list[Book]:
        found = list(session.scalars(select(Book).where(Book.id >= first).options(*self.options).limit(50)))
        if not found:
            raise HTTPException(404)
        return found


@app.get("/shelf", response_model=list[BookOut])
def shelf(books: Annotated[list[Book], Depends(Shelf(selectinload(Book.author).selectinload(Author.country)))]) -> list[Book]:
    return books
