"""Long lists in pages, so that an answer fits into an agent's context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import Field

Item = TypeVar("Item")

Cursor = Annotated[int, Field(ge=0, description="`next` of the page before; 0 for the first page")]
Limit = Annotated[int, Field(ge=1, le=100, description="entries of a page")]
Next = Annotated[int | None, Field(description="cursor of the next page; null on the last one")]


def page(items: Sequence[Item], cursor: int, limit: int) -> tuple[Sequence[Item], int | None]:
    """Entries from `cursor` on, at most `limit`, and the cursor of what follows (None: nothing)."""
    end = cursor + limit
    return items[cursor:end], end if end < len(items) else None
