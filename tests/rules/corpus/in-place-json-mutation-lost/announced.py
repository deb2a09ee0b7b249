"""Watched columns, an announced change, a new value, and a new row are written."""

from typing import Any

from sqlalchemy import JSON
from sqlalchemy.ext.mutable import MutableDict, MutableList
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import flag_modified

WatchedList = MutableList.as_mutable(JSON)


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    tags: Mapped[list[str]] = mapped_column(WatchedList)
    details: Mapped[dict[str, Any]] = mapped_column(MutableDict.as_mutable(JSON))
    plain: Mapped[dict[str, Any]] = mapped_column(JSON)


def watched(session: Session, book: Book) -> None:
    book.tags.append("new")
    book.details["pages"] = 3
    session.commit()


def announced(session: Session, book: Book) -> None:
    book.plain["pages"] = 3
    flag_modified(book, "plain")
    session.commit()


def new_value(session: Session, book: Book) -> None:
    book.plain = {**book.plain, "pages": 3}
    session.commit()


def new_row(session: Session) -> None:
    book = Book(tags=[], details={}, plain={})
    book.plain["pages"] = 3
    session.add(book)
    session.commit()
