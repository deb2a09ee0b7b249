"""Rows that are handed on, changed, stored or answered without a declared response, and models without long columns."""

import json

from elsewhere import Exporter
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import LargeBinary, String, Text, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")
exporter = Exporter()


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    full_text: Mapped[str] = mapped_column(Text)


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    bio: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[bytes] = mapped_column(LargeBinary)
    description: Mapped[str] = mapped_column(Text)


class BookOut(BaseModel):
    id: int
    title: str


class UserOut(BaseModel):
    id: int
    name: str


@app.get("/users", response_model=list[UserOut])
def users() -> list[User]:
    with Session(engine) as session:
        return list(session.scalars(select(User)))


@app.get("/undeclared")
def undeclared():
    with Session(engine) as session:
        return session.scalars(select(Book)).all()


@app.get("/handed-on", response_model=list[BookOut])
def handed_on() -> list[Book]:
    with Session(engine) as session:
        books = list(session.scalars(select(Book)))
        exporter.send(books)
        return books


@app.get("/one-by-one")
def one_by_one() -> list[str]:
    with Session(engine) as session:
        return [exporter.format(book) for book in session.scalars(select(Book)).all()]


@app.get("/kept")
def kept() -> dict[int, str]:
    with Session(engine) as session:
        books = {book.id: book for book in session.scalars(select(Book))}
        return {number: json.dumps(book.full_text) for number, book in books.items()}


@app.post("/rename")
def rename() -> None:
    with Session(engine) as session:
        for book in session.scalars(select(Book)).all():
            book.title = book.title.strip()
        session.commit()


@app.post("/forget")
def forget() -> None:
    with Session(engine) as session:
        for book in session.scalars(select(Book).where(Book.title == "")).all():
            session.delete(book)
        session.commit()


@app.get("/named")
def named(names: list[str]) -> list[dict[str, object]]:
    with Session(engine) as session:
        return [{name: getattr(book, name) for name in names} for book in session.scalars(select(Book))]


@app.get("/closure")
def closure() -> list[str]:
    with Session(engine) as session:
        books = session.scalars(select(Book)).all()

    def texts() -> list[str]:
        return [book.full_text for book in books]

    return texts() if [book.id for book in books] else []
