"""Queries about books."""

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session, joinedload

from app.models import Book, Edition


def list_books(session: Session, after: int, limit: int) -> list[Book]:
    """A page of the catalogue, in the order of the ids."""
    statement = select(Book).where(Book.id > after).order_by(Book.id).limit(limit)
    return list(session.scalars(statement))


def list_featured(session: Session, limit: int) -> list[Book]:
    """The books on the front page, with their authors."""
    statement = (
        select(Book).where(Book.is_featured.is_(True)).options(joinedload(Book.author)).order_by(Book.id).limit(limit)
    )
    return list(session.scalars(statement))


def list_for_feed(session: Session, after: int, limit: int) -> list[Book]:
    """A page of the catalogue for other sites."""
    return list(session.scalars(select(Book).where(Book.id > after).order_by(Book.id).limit(limit)))


def find_book(session: Session, book_id: int) -> Book | None:
    """One book with its author."""
    return session.scalar(select(Book).where(Book.id == book_id).options(joinedload(Book.author)))


def find_edition(session: Session, book_id: int, edition_id: int) -> Edition | None:
    """One form of a book."""
    return session.scalar(select(Edition).where(Edition.id == edition_id, Edition.book_id == book_id))


def find_titles(session: Session, prefix: str, limit: int) -> list[Row[tuple[int, str]]]:
    """The titles that begin with `prefix`."""
    statement = text(f"SELECT id, title FROM books WHERE title LIKE '{prefix}%' ORDER BY title, id LIMIT :n")  # finding: sql-injection-raw-statement
    return list(session.execute(statement, {"n": limit}))


def count_known(session: Session, isbns: list[str]) -> int:
    """How many of these ISBNs are in the catalogue."""
    return session.scalar(select(func.count(Book.id)).where(Book.isbn.in_(isbns))) or 0
