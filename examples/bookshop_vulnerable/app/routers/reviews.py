"""What readers say about books."""

import asyncio

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from app.core.database import AsyncSessionDep
from app.dependencies import AsyncCurrentUser
from app.models import Review
from app.schemas.fields import AfterId, EntityId, PageLimit
from app.schemas.review import ReviewCreate, ReviewDetail, ReviewOut, ReviewStatistics
from app.services import author_service, review_service

router = APIRouter(prefix="/reviews", tags=["reviews"])


@router.get("", response_model=list[ReviewOut])
async def list_reviews(
    session: AsyncSessionDep, book_id: EntityId, after: AfterId = 0, limit: PageLimit = 20
) -> list[Review]:
    """A page of what readers say about a book."""
    return await review_service.list_reviews(session, book_id, after, limit)


@router.post("", response_model=ReviewOut, status_code=201)
async def create_review(
    payload: ReviewCreate, user: AsyncCurrentUser, session: AsyncSessionDep, response: Response
) -> Review:
    """Say something about a book."""
    review = review_service.build_review(payload)
    session.add(review)
    author_service.record_activity(session, user.id, "review.created")  # finding: coroutine-not-awaited
    await session.commit()
    response.headers["Location"] = f"/api/v1/reviews/{review.id}"
    return review


@router.get("/statistics")
async def get_statistics(session: AsyncSessionDep, book_id: EntityId) -> ReviewStatistics:
    """What readers think of a book, in two numbers."""
    average, best = await asyncio.gather(review_service.average_rating(session, book_id), review_service.best_rating(session, book_id))  # finding: async-session-shared-by-concurrent-tasks
    return ReviewStatistics(average=average, best=best)


@router.get("/{review_id}")
async def get_review(review_id: EntityId, session: AsyncSessionDep) -> ReviewDetail:
    """One review with the title of the book."""
    review = await review_service.get_review(session, review_id)
    title = review.book.title  # finding: implicit-lazy-load-under-asyncio
    return ReviewDetail(id=review.id, book_title=title, rating=review.rating, body=review.body)


@router.get("/{review_id}/preview", response_class=HTMLResponse)
async def preview_review(review_id: EntityId, session: AsyncSessionDep) -> HTMLResponse:
    """A review as a small page for the sites that embed it."""
    review = await review_service.get_review(session, review_id)
    return HTMLResponse(review_service.render_review(review))  # finding: html-response-xss


@router.delete("/{review_id}", status_code=204)
async def delete_review(review_id: EntityId, user: AsyncCurrentUser, session: AsyncSessionDep) -> None:
    """Take back a review of one's own."""
    await review_service.remove_review(session, review_id, user.id)
