"""Which exceptions that are raised at a place are caught around it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.program.definitions import last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir


def tries_around(site: Site, within: ir.Node | None = None) -> Iterator[ir.Try]:
    """`try` statements whose body a place stands in, inner first; only those inside the statement `within`."""
    for context in site.context:
        if within is not None and context.node is within:
            return
        node: Any = context.node
        if context.role == "try" and node.__class__ is ir.Try:
            yield node


def managers_around(site: Site, within: ir.Node | None = None) -> Iterator[ir.Expr]:
    """What stands in the `with` statements around a place, inner first."""
    for context in site.context:
        if within is not None and context.node is within:
            return
        node: Any = context.node
        if context.role == "with" and node.__class__ is ir.With:
            for item in node.items:
                yield item.context


def is_caught(site: Site, names: frozenset[str], within: ir.Node | None = None) -> bool:
    """An `except` around a place names one of these classes (by its last name), or names none at all."""
    return any(
        handler.type is None or names & set(_class_names(handler.type))
        for statement in tries_around(site, within)
        for handler in statement.handlers
    )


def _class_names(expr: ir.Expr) -> Iterator[str]:
    elements = expr.elts if isinstance(expr, ir.Sequence) else [expr]
    for each in elements:
        yield last_name(each)
