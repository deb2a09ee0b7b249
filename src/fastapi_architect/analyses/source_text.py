"""Text of the reviewed files as it stands there, for mends that move or keep what a reader wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.program.definitions import Function
from fastapi_architect.source.decode import decode
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location
from fastapi_architect.source.tree import Unreadable
from fastapi_architect.syntax import span


@question_about
def lines_of(graph: AppGraph, path: str) -> list[str]:
    """Lines of a file without their ends; none when it cannot be read."""
    data = graph.tree.read(path)
    return [] if isinstance(data, Unreadable) else decode(data).text.split("\n")


def text_at(graph: AppGraph, place: Location) -> str:
    """The text of a stretch of one file, "" when it cannot be read."""
    lines = lines_of(graph, place.path)[place.line - 1 : place.end_line or place.line]
    if not lines:
        return ""
    encoded = [line.encode("utf-8", "surrogatepass") for line in lines]
    encoded[-1] = encoded[-1][: place.end_column]
    encoded[0] = encoded[0][place.column :]
    return b"\n".join(encoded).decode("utf-8", "surrogatepass")


def block_of(function: Function) -> Location:
    """A function with its decorators: whole lines, from the first decorator to the end of the body."""
    node = function.node
    first = min([span.line_of(node.span), *(span.line_of(d.span) for d in node.decorators)])
    return Location(
        function.module.path, first, 0, span.end_line_of(node.span), span.end_column_of(node.span)
    )


#: A comment of its own line, or behind code; a `#` inside a string stands behind a space only by chance.
_COMMENT = lazy_pattern(r"(?:^|\s)#+\s*(.*)$", re.MULTILINE)


def comments_of(graph: AppGraph, function: Function) -> Iterator[str]:
    """What is said inside a function and right above it, the lines of one remark joined."""
    block = block_of(function)
    lines = lines_of(graph, block.path)
    first = block.line
    while first > 1 and lines[first - 2 : first - 1] and lines[first - 2].lstrip().startswith("#"):
        first -= 1
    remark: list[str] = []
    for line in lines[first - 1 : block.end_line]:
        found = _COMMENT.search(line)
        if found is not None:
            remark.append(found[1])
        elif remark:
            yield " ".join(remark)
            remark = []
    if remark:
        yield " ".join(remark)
