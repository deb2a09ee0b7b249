"""An object that every caller has just made, or that is inserted behind the change, is written as a whole."""

from typing import Any, Self

from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)

    @classmethod
    def create(cls, session: Session, made: Self) -> Self:
        session.add(made)
        session.flush()
        return made


def label(book: Book, name: str) -> None:
    book.details["name"] = name


def print_book(session: Session, name: str) -> None:
    book = Book(details={})
    label(book, name)
    session.add(book)


def insert(session: Session, book: Book, name: str) -> Book:
    book.details["name"] = name
    return Book.create(session, book)


def rename(session: Session, book: Book, name: str) -> None:
    book.details["name"] = name  # finding: in-place-json-mutation-lost
    session.add(book)


def rename_first(session: Session, name: str) -> None:
    book = session.get_one(Book, 1)
    rename(session, book, name)
