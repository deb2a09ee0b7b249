"""Every expression below an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi_architect.syntax import ir

#: What a field without nodes is declared with; the statements of an inner function are no part of what is around it.
_PLAIN = frozenset({"str", "int", "float", "bool", "None", "list", "Body"})


class _Fields(dict[type, tuple[str, ...]]):
    """Works the fields of a class out when one of its nodes is met."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        declared = {
            name: of for base in kind.__mro__ for name, of in vars(base).get("__annotations__", {}).items()
        }
        fields = self[kind] = tuple(
            name
            for name in getattr(kind, "__struct_fields__", ())
            if not _PLAIN.issuperset(re.findall(r"\w+", declared[name]))
        )
        return fields


#: A class of nodes to its fields that hold nodes or lists of nodes, in order.
NODE_FIELDS: Mapping[type, tuple[str, ...]] = _Fields()
#: They stand in expressions and are none: what is walked of them.
_BETWEEN: dict[type, tuple[str, ...]] = {
    ir.Keyword: ("value",),
    ir.Generator: ("ifs", "iter"),
    ir.Param: (),
}


def walk(expr: ir.Expr | None) -> Iterator[ir.Expr]:
    """An expression and every expression below it, outer first; lambdas and comprehensions included."""
    stack: list[Any] = [expr]
    while stack:
        current = stack.pop()
        kind = current.__class__
        if kind is list:
            stack += reversed(current)
        elif current is not None:
            fields = _BETWEEN.get(kind)
            if fields is None:
                yield current
                fields = NODE_FIELDS[kind]
            for name in reversed(fields):
                stack.append(getattr(current, name))
