"""Reviews: writing, reading and showing them."""

from decimal import Decimal

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.errors import NotFound
from app.models import Review
from app.schemas.review import ReviewCreate


def build_review(payload: ReviewCreate) -> Review:
    """The row for a new review."""
    return Review(user_id=payload.reviewer_id, book_id=payload.book_id, rating=payload.rating, body=payload.body)  # finding: client-supplied-identity-trusted


async def list_reviews(session: AsyncSession, book_id: int, after: int, limit: int) -> list[Review]:
    """A page of what readers say about a book."""
    statement = select(Review).where(Review.book_id == book_id, Review.id > after).order_by(Review.id).limit(limit)
    return list(await session.scalars(statement))


async def get_review(session: AsyncSession, review_id: int) -> Review:
    """One review.

    Raises:
        NotFound: if there is no such review.
    """
    review = await session.get(Review, review_id)
    if review is None:
        raise NotFound("There is no such review.")
    return review


async def remove_review(session: AsyncSession, review_id: int, user_id: int) -> None:
    """Take back a review of one's own.

    Raises:
        NotFound: if there is no such review, or somebody else wrote it.
    """
    statement = delete(Review).where(Review.id == review_id, Review.user_id == user_id).returning(Review.id)
    removed = await session.scalar(statement)
    if removed is None:
        raise NotFound("There is no such review.")
    await session.commit()


async def average_rating(session: AsyncSession, book_id: int) -> Decimal | None:
    """The mean rating of a book."""
    average = await session.scalar(select(func.avg(Review.rating)).where(Review.book_id == book_id))
    return None if average is None else round(Decimal(average), 2)


async def best_rating(session: AsyncSession, book_id: int) -> int | None:
    """The best rating of a book."""
    return await session.scalar(select(func.max(Review.rating)).where(Review.book_id == book_id))


def render_review(review: Review) -> str:
    """A review as a small page for the sites that embed it."""
    return f"<!doctype html><title>Review</title><p>{review.rating} of 5</p><blockquote>{review.body}</blockquote>"
