"""How an operation asks for reviews."""

from typing import Annotated

from fastapi import Depends

from app.books.repository import BookRepository
from app.dependencies import SessionDep
from app.reviews.repository import ReviewRepository
from app.reviews.service import ReviewService


async def get_review_service(session: SessionDep) -> ReviewService:
    """Return the service on the session of this request."""
    return ReviewService(session, ReviewRepository(session), BookRepository(session))


ReviewServiceDep = Annotated[ReviewService, Depends(get_review_service)]
