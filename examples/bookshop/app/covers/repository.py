"""Queries for covers; a book remembers the identifier and the kind of its picture."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from app.books.models import Book
from app.covers.storage import Cover, CoverType


class CoverRepository:
    """Finds the cover of a book, and the book to give one to."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, book_id: UUID) -> Cover | None:
        """Return the cover of a book."""
        statement = select(Book.cover_id, Book.cover_media_type).where(Book.id == book_id)
        row = (await self._session.execute(statement)).one_or_none()
        if row is None or row.cover_id is None:
            return None
        return Cover(row.cover_id, CoverType(row.cover_media_type))

    async def lock_book(self, book_id: UUID) -> Book | None:
        """Return a book, locked until the commit: of two covers, one comes last."""
        statement = select(Book).where(Book.id == book_id).with_for_update().options(defer(Book.description))
        return (await self._session.execute(statement)).scalar_one_or_none()
