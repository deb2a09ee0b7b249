"""Reviews over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from app.auth.dependencies import CurrentUser
from app.pagination import Page, PageQuery, TimeCursor
from app.problems import CONFLICT, NOT_FOUND, TOO_MANY_REQUESTS, UNAVAILABLE
from app.reviews.dependencies import ReviewServiceDep
from app.reviews.schemas import NewReview, OwnReview, PublishedReview, ReviewChange
from app.throttles import throttle_browsing

public = APIRouter(
    tags=["reviews"],
    dependencies=[Depends(throttle_browsing)],
    responses={429: TOO_MANY_REQUESTS, 503: UNAVAILABLE},
)
members = APIRouter(tags=["reviews"])


@public.get("/books/{book_id}/reviews", summary="List the reviews of a book")
async def list_reviews(
    book_id: UUID, query: Annotated[PageQuery, Query()], service: ReviewServiceDep
) -> Page[PublishedReview]:
    """Return a page of the reviews of a book, newest first."""
    cursor = TimeCursor.decode(query.cursor) if query.cursor is not None else None
    page = await service.list_reviews(book_id, cursor, query.limit)
    reviews = [PublishedReview.model_validate(review) for review in page.rows]
    return Page(items=reviews, next_cursor=page.next_cursor)


@members.post(
    "/books/{book_id}/reviews",
    summary="Review a book",
    status_code=status.HTTP_201_CREATED,
    responses={404: NOT_FOUND, 409: CONFLICT},
)
async def publish_review(
    *,
    book_id: UUID,
    new: NewReview,
    principal: CurrentUser,
    service: ReviewServiceDep,
    request: Request,
    response: Response,
) -> OwnReview:
    """Publish an opinion of a book, one for each customer."""
    review = await service.publish(principal, book_id, new)
    response.headers["Location"] = request.app.url_path_for("read_review", review_id=str(review.id))
    return OwnReview.model_validate(review)


@members.get("/reviews/{review_id}", summary="Read an own review", responses={404: NOT_FOUND})
async def read_review(review_id: UUID, principal: CurrentUser, service: ReviewServiceDep) -> OwnReview:
    """Return a review of the caller's."""
    return OwnReview.model_validate(await service.read(principal, review_id))


@members.patch("/reviews/{review_id}", summary="Change an own review", responses={404: NOT_FOUND})
async def change_review(
    review_id: UUID, change: ReviewChange, principal: CurrentUser, service: ReviewServiceDep
) -> OwnReview:
    """Change the fields that are sent; the others stay as they are."""
    return OwnReview.model_validate(await service.change(principal, review_id, change))


@members.delete(
    "/reviews/{review_id}",
    summary="Delete an own review",
    status_code=status.HTTP_204_NO_CONTENT,
    responses={404: NOT_FOUND},
)
async def delete_review(review_id: UUID, principal: CurrentUser, service: ReviewServiceDep) -> None:
    """Delete a review of the caller's."""
    await service.delete(principal, review_id)
