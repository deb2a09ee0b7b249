"""What may happen to reviews."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.principal import Principal
from app.books.repository import BookRepository
from app.errors import Conflict, NotFound
from app.pagination import Slice, TimeCursor, cut
from app.reviews.models import Review
from app.reviews.repository import ReviewRepository
from app.reviews.schemas import NewReview, ReviewChange


def place(review: Review) -> TimeCursor:
    """Return where a review stands in the list."""
    return TimeCursor(id=review.id, created_at=review.created_at)


class ReviewService:
    """Reads, publishes, changes and deletes reviews."""

    def __init__(self, session: AsyncSession, reviews: ReviewRepository, books: BookRepository) -> None:
        self._session = session
        self._reviews = reviews
        self._books = books

    async def list_reviews(self, book_id: UUID, cursor: TimeCursor | None, limit: int) -> Slice[Review]:
        """Return a page of the reviews of a book, newest first."""
        return cut(await self._reviews.list_after(book_id, cursor, limit + 1), limit, place)

    async def publish(self, principal: Principal, book_id: UUID, new: NewReview) -> Review:
        """Publish the caller's review of a book.

        Raises:
            NotFound: there is no such book.
            Conflict: the caller has reviewed it already.
        """
        if not await self._books.exists(book_id):
            raise NotFound("There is no such book.")
        review = Review(book_id=book_id, author_id=principal.user_id, rating=new.rating, text=new.text)
        self._reviews.add(review)
        try:
            await self._session.commit()
        except IntegrityError as error:
            raise Conflict("You have reviewed this book already.") from error
        return review

    async def read(self, principal: Principal, review_id: UUID) -> Review:
        """Return the caller's review, or raise NotFound."""
        review = await self._reviews.find_own(review_id, principal.user_id)
        if review is None:
            raise NotFound("You have no such review.")
        return review

    async def change(self, principal: Principal, review_id: UUID, change: ReviewChange) -> Review:
        """Change the fields that were sent, or raise NotFound."""
        review = await self.read(principal, review_id)
        sent = change.model_dump(exclude_unset=True)
        review.rating = sent.get("rating", review.rating)
        review.text = sent.get("text", review.text)
        await self._session.commit()
        return review

    async def delete(self, principal: Principal, review_id: UUID) -> None:
        """Delete the caller's review, or raise NotFound."""
        deleted = await self._reviews.delete_own(review_id, principal.user_id)
        if not deleted:
            raise NotFound("You have no such review.")
        await self._session.commit()
