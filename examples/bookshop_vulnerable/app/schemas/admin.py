"""Requests and responses of the back office."""

from typing import Literal

from pydantic import BaseModel, Field


class TaskRunRequest(BaseModel):
    """A job that somebody starts by hand."""

    task_name: str = Field(min_length=1, max_length=100)


class TaskRunOut(BaseModel):
    """The job that was started."""

    task_id: str


class MailPreviewRequest(BaseModel):
    """The text of a newsletter before it goes out."""

    template: str = Field(min_length=1, max_length=10_000)


class MailPreviewOut(BaseModel):
    """The newsletter as its readers will see it."""

    text: str


class SnapshotCheck(BaseModel):
    """A snapshot of the stock, as the branch in Basel exports it, in base64."""

    snapshot: str = Field(min_length=1, max_length=1_000_000)


class SnapshotOut(BaseModel):
    """How many books a branch has, and how many of them we know."""

    entries: int
    known: int


class LegacyRating(BaseModel):
    """A rating from the time before reviews."""

    book_id: int
    rating: int | None


class ServiceStatus(BaseModel):
    """Whether the service answers."""

    status: Literal["ok"] = "ok"


class StockReport(BaseModel):
    """How much lies in the warehouse."""

    copies: int


class SalesReportRequest(BaseModel):
    """Which year the owners want to know about."""

    year: int = Field(ge=2000, le=2100)
