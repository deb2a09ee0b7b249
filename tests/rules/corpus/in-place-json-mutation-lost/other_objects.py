"""Dicts of schemas and lists of relationships are no JSON columns."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Chapter(Base):
    __tablename__ = "chapters"

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"))


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    chapters: Mapped[list[Chapter]] = relationship()


class BookIn(BaseModel):
    details: dict[str, Any]


def add(session: Session, book: Book, given: BookIn) -> None:
    given.details["source"] = "import"
    book.chapters.append(Chapter())
    session.commit()
