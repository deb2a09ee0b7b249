"""Two classes that refer to each other, for the type checker only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.books import Book


class Author:
    books: list[Book]
