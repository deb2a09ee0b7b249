"""What is changed for the answer only, in a session that sends nothing; one whose caller commits, or that commits itself, loses it."""

from typing import Any

from sqlalchemy import JSON, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


def keep(session: Session) -> None:
    session.commit()


def shown() -> list[Book]:
    with Session(engine) as session:
        books = list(session.scalars(select(Book)))
        for book in books:
            book.details["number"] = book.id
        return books


def saved() -> None:
    with Session(engine) as session:
        for book in session.scalars(select(Book)):
            book.details["number"] = book.id  # finding: in-place-json-mutation-lost
        session.commit()


def saved_below() -> None:
    with Session(engine) as session:
        for book in session.scalars(select(Book)):
            book.details["number"] = book.id  # finding: in-place-json-mutation-lost
        keep(session)


def saved_at_the_end() -> None:
    with Session(engine) as session, session.begin():
        for book in session.scalars(select(Book)):
            book.details["number"] = book.id  # finding: in-place-json-mutation-lost


def saved_by_the_caller(session: Session) -> None:
    for book in session.scalars(select(Book)):
        book.details["number"] = book.id  # finding: in-place-json-mutation-lost
