"""Which names of a body is an expression made of, through whatever is assigned on the way?

Order and branches play no part: a name stands for everything that it is ever given in the body.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.program.definitions import Function, dotted_name
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk


def names_behind(expr: ir.Expr | None, function: Function) -> frozenset[str]:
    """Names, and attributes of names with dots (`user.id`), that a value may be made of."""
    found: set[str] = set()
    waiting = list(_names(expr))
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for binding in function.facts.bindings.get(name, ()):
            if binding.kind != "parameter":
                waiting += _names(binding.value)
    return frozenset(found)


def _names(expr: ir.Expr | None) -> Iterator[str]:
    for node in walk(expr):
        if isinstance(node, ir.Name):
            yield node.id
        elif isinstance(node, ir.Attribute):
            written = dotted_name(node)
            if written:
                yield written
