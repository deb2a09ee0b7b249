"""Queries for books."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from app.books.models import Book
from app.pagination import TitleCursor


class BookRepository:
    """Finds, adds, locks and deletes books."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, book: Book) -> None:
        """Put a book on sale."""
        self._session.add(book)

    async def find(self, book_id: UUID) -> Book | None:
        """Return a book."""
        return (await self._session.execute(select(Book).where(Book.id == book_id))).scalar_one_or_none()

    async def exists(self, book_id: UUID) -> bool:
        """Say whether there is such a book."""
        statement = select(Book.id).where(Book.id == book_id)
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

    async def lock(self, book_ids: Collection[UUID]) -> dict[UUID, Book]:
        """Return books by identifier, locked until the commit.

        Locked in the order of their identifiers: two orders for the same books wait instead of dead-locking.
        """
        statement = (
            select(Book)
            .where(Book.id.in_(book_ids))
            .order_by(Book.id)
            .with_for_update()
            .options(defer(Book.description))
        )
        return {book.id: book for book in (await self._session.execute(statement)).scalars()}

    async def delete(self, book_id: UUID) -> bool:
        """Delete a book, and say whether there was one.

        Raises:
            sqlalchemy.exc.IntegrityError: it has been ordered.
        """
        statement = delete(Book).where(Book.id == book_id).returning(Book.id)
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

    async def list_after(
        self, words: str | None, author: str | None, cursor: TitleCursor | None, limit: int
    ) -> Sequence[Book]:
        """Return the next books by title, without their descriptions."""
        statement = select(Book).order_by(Book.title, Book.id).limit(limit).options(defer(Book.description))
        if words is not None:
            statement = statement.where(Book.words.bool_op("@@")(func.websearch_to_tsquery("simple", words)))
        if author is not None:
            statement = statement.where(Book.author == author)
        if cursor is not None:
            statement = statement.where(tuple_(Book.title, Book.id) > (cursor.title, cursor.id))
        return (await self._session.execute(statement)).scalars().all()
