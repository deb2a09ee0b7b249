"""Spans packed into one integer: line, column, end line and end column of a node.

Lines count from 1, columns from 0 in UTF-8 bytes as `ast` gives them (`source.location` turns them into characters).
Layout from the high bits: line 24, column 12, lines spanned 16, end column 12. Larger values are kept at the largest.
One integer a node, against four, is a quarter of the memory of a large tree.
"""

from __future__ import annotations

_MAX_COLUMN = 0xFFF
_MAX_LINES = 0xFFFF


def pack(line: int, column: int, end_line: int, end_column: int) -> int:
    """Pack a span; out-of-range parts are clamped."""
    lines = end_line - line
    return (
        (line << 40)
        | (min(column, _MAX_COLUMN) << 28)
        | (min(max(lines, 0), _MAX_LINES) << 12)
        | min(end_column, _MAX_COLUMN)
    )


def unpack(span: int) -> tuple[int, int, int, int]:
    """Line, column, end line and end column at once."""
    line = span >> 40
    return line, (span >> 28) & _MAX_COLUMN, line + ((span >> 12) & _MAX_LINES), span & _MAX_COLUMN


def line_of(span: int) -> int:
    """First line, from 1."""
    return span >> 40


def column_of(span: int) -> int:
    """First column, from 0, in UTF-8 bytes."""
    return (span >> 28) & _MAX_COLUMN


def end_line_of(span: int) -> int:
    """Last line, from 1."""
    return (span >> 40) + ((span >> 12) & _MAX_LINES)


def end_column_of(span: int) -> int:
    """Column behind the last byte, from 0."""
    return span & _MAX_COLUMN
