"""Places in the reviewed tree."""

from __future__ import annotations

import msgspec


class Location(msgspec.Struct, frozen=True, order=True):
    """A stretch of one file, as a reader counts it.

    Attributes:
        path: the file, relative to the root of the tree, with forward slashes.
        line: first line, from 1.
        column: first column, from 0, in UTF-8 bytes as the parser counts.
        end_line: last line.
        end_column: column behind the last byte.
    """

    path: str
    line: int
    column: int = 0
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"
