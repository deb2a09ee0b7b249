"""The mapper itself loads eagerly, and a field that is excluded is never read."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

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
    country: Mapped[Country] = relationship(lazy="selectin")


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(lazy="selectin")


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
        return list(self.session.scalars(select(Book).limit(50)))


@app.get("/books", response_model=list[BookOut])
def list_books(books: Annotated[Books, Depends()]) -> list[Book]:
    return books.page()
