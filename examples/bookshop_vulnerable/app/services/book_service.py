"""The catalogue: what staff may change about a book."""

from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.models import Author, Book
from app.repositories import book_repository
from app.schemas.catalogue import BookTitle, BookWrite


def complete_titles(session: Session, prefix: str, limit: int) -> list[BookTitle]:
    """The titles that begin with what somebody has typed so far."""
    rows = book_repository.find_titles(session, prefix, limit)
    return [BookTitle(id=row.id, title=row.title) for row in rows]


def get_book(session: Session, book_id: int) -> Book:
    """One book with its author.

    Raises:
        NotFound: if there is no such book.
    """
    book = book_repository.find_book(session, book_id)
    if book is None:
        raise NotFound("There is no such book.")
    return book


def _check_author(session: Session, author_id: int) -> None:
    if session.get(Author, author_id) is None:
        raise NotFound("There is no such author.")


def create_book(session: Session, payload: BookWrite) -> Book:
    """Add a title to the catalogue."""
    _check_author(session, payload.author_id)
    book = Book(
        author_id=payload.author_id,
        title=payload.title,
        subtitle=payload.subtitle,
        isbn=payload.isbn,
        summary=payload.summary,
        price=payload.price,
        stock=payload.stock,
    )
    session.add(book)
    session.commit()
    return book


def replace_book(session: Session, book_id: int, payload: BookWrite) -> Book:
    """Store a book as staff entered it again."""
    _check_author(session, payload.author_id)
    book = get_book(session, book_id)
    book.author_id = payload.author_id
    book.title = payload.title
    book.subtitle = payload.subtitle
    book.isbn = payload.isbn
    book.summary = payload.summary
    book.price = payload.price
    book.stock = payload.stock
    session.commit()
    return book


def set_stock(session: Session, book_id: int, stock: int) -> Book:
    """Store how many copies somebody counted."""
    book = get_book(session, book_id)
    book.stock = stock
    session.commit()
    return book


def feature(session: Session, book_id: int) -> Book:
    """Put a book on the front page."""
    book = get_book(session, book_id)
    book.is_featured = True
    session.commit()
    return book


def withdraw(session: Session, book_id: int) -> None:
    """Take a book out of the catalogue."""
    session.delete(get_book(session, book_id))
    session.commit()
