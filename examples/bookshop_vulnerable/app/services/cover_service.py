"""Covers in the catalogue."""

from sqlalchemy.orm import Session

from app.models import Cover


def register(session: Session, book_id: int, user_id: int, filename: str) -> Cover:
    """Write down that there is a picture of a book, and who brought it."""
    cover = Cover(book_id=book_id, uploaded_by=user_id, filename=filename)
    session.add(cover)
    session.commit()
    return cover
