"""Requests and responses about reviews, and the messages of the support chat."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.fields import EntityId


class ReviewCreate(BaseModel):
    """What somebody thinks of a book."""

    book_id: EntityId
    reviewer_id: EntityId
    rating: int = Field(ge=1, le=5)
    body: str = Field(min_length=1, max_length=4000)


class ReviewOut(BaseModel):
    """A review."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    book_id: int
    rating: int
    body: str


class ReviewDetail(BaseModel):
    """A review with the title of the book."""

    id: int
    book_title: str
    rating: int
    body: str


class ReviewStatistics(BaseModel):
    """What readers think of a book, in two numbers."""

    average: Decimal | None
    best: int | None


class ChatMessage(BaseModel):
    """One message of the support chat."""

    text: str = Field(min_length=1, max_length=2000)
