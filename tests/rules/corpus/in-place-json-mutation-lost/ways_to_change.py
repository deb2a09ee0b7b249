"""Appending, updating, deleting a key, and a change two levels below."""

from sqlalchemy import JSON, Column, Integer, String, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Session


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id = Column(Integer, primary_key=True)
    tags = Column(ARRAY(String))
    details = Column(JSONB)
    prices = Column(JSON)
    notes = Column(JSON)


def change(session: Session, book_id: int) -> None:
    book = session.get(Book, book_id)
    if book is not None:
        book.tags.append("new")  # finding: in-place-json-mutation-lost
        book.details.update({"pages": 3})  # finding: in-place-json-mutation-lost
        session.commit()


def change_all(session: Session) -> None:
    for book in session.scalars(select(Book)):
        book.prices["EUR"]["net"] = 3  # finding: in-place-json-mutation-lost
        del book.notes["old"]  # finding: in-place-json-mutation-lost
    session.commit()
