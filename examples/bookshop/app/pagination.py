"""Keyset pagination: a page continues after a row, so that it is stable and equally fast at any depth."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, Self, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, Field, ValidationError

from app.errors import InvalidInput
from app.schemas import InputModel, OutputModel, ShortText

Row = TypeVar("Row")
Item = TypeVar("Item")


class PageQuery(InputModel):
    """Which page of a list the caller wants."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str | None, Field(max_length=1_000, pattern="^[A-Za-z0-9_=-]+$")] = None


class Page(OutputModel, Generic[Item]):
    """A page of a list; `next_cursor` is absent on the last one."""

    items: Annotated[list[Item], Field(max_length=100)]
    next_cursor: str | None = None


class Cursor(InputModel):
    """The place of a row in an order, ending in its identifier so that no two rows share a place."""

    id: UUID

    def encode(self) -> str:
        """Return the cursor as text that a client hands back unread."""
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Return the cursor of a text.

        Raises:
            InvalidInput: the text was not made by `encode`.
        """
        try:
            return cls.model_validate_json(base64.urlsafe_b64decode(text))
        except (ValidationError, binascii.Error) as error:
            raise InvalidInput("The cursor is not one that this list handed out.") from error


class TimeCursor(Cursor):
    """A place in a list that is ordered by time."""

    created_at: AwareDatetime


class TitleCursor(Cursor):
    """A place in a list that is ordered by title."""

    title: ShortText


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """The rows of one page, and where the next one begins."""

    rows: Sequence[Row]
    next_cursor: str | None


def cut(rows: Sequence[Row], limit: int, place: Callable[[Row], Cursor]) -> Slice[Row]:
    """Return a page of `limit` rows.

    Args:
        rows: up to `limit + 1` rows; the extra one only tells that there is a next page.
        limit: the size of the page.
        place: says where a row stands in the order.
    """
    page = rows[:limit]
    return Slice(page, place(page[-1]).encode() if len(rows) > limit else None)
