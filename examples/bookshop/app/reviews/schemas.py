"""How reviews look from outside."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from app.schemas import ChangeModel, InputModel, LongText, OutputModel, ShortText

Rating = Annotated[int, Field(ge=1, le=5)]


class Reviewer(OutputModel):
    """All that the public learns about who wrote a review."""

    display_name: ShortText


class PublishedReview(OutputModel):
    """A review as everybody sees it."""

    id: UUID
    book_id: UUID
    author: Reviewer
    rating: Rating
    text: LongText
    created_at: AwareDatetime


class OwnReview(OutputModel):
    """A review as its author sees it."""

    id: UUID
    book_id: UUID
    rating: Rating
    text: LongText
    created_at: AwareDatetime


class NewReview(InputModel):
    """An opinion."""

    rating: Rating
    text: LongText


class ReviewChange(ChangeModel):
    """The fields of a review to change; an absent one stays as it is."""

    rating: Rating | None = None
    text: LongText | None = None
