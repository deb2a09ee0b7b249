"""Queries for reviews."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only, selectinload

from app.pagination import TimeCursor
from app.reviews.models import Review
from app.users.models import User


class ReviewRepository:
    """Finds, adds and deletes reviews; whoever changes one has to be its author."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, review: Review) -> None:
        """Publish a review."""
        self._session.add(review)

    async def find_own(self, review_id: UUID, author_id: UUID) -> Review | None:
        """Return a review if it is this author's."""
        statement = select(Review).where(Review.id == review_id, Review.author_id == author_id)
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def delete_own(self, review_id: UUID, author_id: UUID) -> bool:
        """Delete a review if it is this author's, and say whether it was."""
        statement = (
            delete(Review).where(Review.id == review_id, Review.author_id == author_id).returning(Review.id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

    async def list_after(self, book_id: UUID, cursor: TimeCursor | None, limit: int) -> Sequence[Review]:
        """Return the next reviews of a book with their authors' names, newest first."""
        statement = (
            select(Review)
            .where(Review.book_id == book_id)
            .order_by(Review.created_at.desc(), Review.id.desc())
            .limit(limit)
            .options(selectinload(Review.author).options(load_only(User.display_name)))
        )
        if cursor is not None:
            place = tuple_(Review.created_at, Review.id)
            statement = statement.where(place < (cursor.created_at, cursor.id))
        return (await self._session.execute(statement)).scalars().all()
