"""Long lists in pages, so that an answer fits into an agent's context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from fastapi_architect.workbench.errors import WorkbenchError

Item = TypeVar("Item")

#: Entries that one page may hold.
MAX_LIMIT = 100
_SHOWN = 20


def page(items: Sequence[Item], cursor: int, limit: int) -> tuple[Sequence[Item], int | None]:
    """Entries from `cursor` on, at most `limit`, and the cursor of what follows (None: nothing).

    Raises:
        WorkbenchError: they are no numbers of entries.
    """
    if cursor < 0:
        message = f"cursor: {cursor} is below 0; pass `next` of the page before, or 0"
        raise WorkbenchError(message)
    if not 1 <= limit <= MAX_LIMIT:
        message = f"limit: {limit} is not between 1 and {MAX_LIMIT}"
        raise WorkbenchError(message)
    end = cursor + limit
    return items[cursor:end], end if end < len(items) else None


def first(lines: Sequence[str]) -> tuple[str, ...]:
    """The first lines, and how many more there are."""
    more = len(lines) - _SHOWN
    return tuple(lines) if more <= 0 else (*lines[:_SHOWN], f"... and {more} more")
