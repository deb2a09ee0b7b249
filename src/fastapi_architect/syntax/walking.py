"""Every expression below an expression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from fastapi_architect.syntax import ir


def walk(expr: ir.Expr | None) -> Iterator[ir.Expr]:
    """An expression and every expression below it, outer first; lambdas and comprehensions included."""
    if expr is None:
        return
    stack: list[Any] = [expr]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack += reversed(current)
        elif isinstance(current, ir.Keyword):
            stack.append(current.value)
        elif isinstance(current, ir.Generator):
            stack += [current.iter, current.ifs]
        elif isinstance(current, ir.Node) and not isinstance(current, ir.Param):
            yield cast("ir.Expr", current)
            stack += reversed(
                [getattr(current, name) for name in current.__struct_fields__ if name != "span"]
            )
