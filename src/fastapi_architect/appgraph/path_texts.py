"""What path an expression spells, as far as its text is known."""

from __future__ import annotations

from fastapi_architect.appgraph.router_objects import RouterObjects, Value
from fastapi_architect.syntax import ir

#: Stands in a path for a part whose value is not known.
UNKNOWN_PART = "{?}"
_MAX_DEPTH = 12
#: Methods of texts after which the rest of a path may stand: `prefix.rstrip("/") + "/{name:path}"`.
_TRIMMING = frozenset({"strip", "rstrip", "lstrip", "removesuffix", "removeprefix"})


def path_text(objects: RouterObjects, value: Value) -> str:
    """The path, with `UNKNOWN_PART` for what is not known: `base + "/files/{name:path}"` is `/{?}/files/{name:path}`."""
    text = _spelt(objects, value, 0)
    while UNKNOWN_PART * 2 in text:
        text = text.replace(UNKNOWN_PART * 2, UNKNOWN_PART)
    return f"/{text}" if text.startswith(UNKNOWN_PART) else text


def _spelt(objects: RouterObjects, value: Value, depth: int) -> str:
    expr, scope, environment = value.expr, value.scope, value.environment
    found = objects.value(expr, scope, environment)
    if found is None or isinstance(found, str):
        return found or ""
    if depth > _MAX_DEPTH:
        return UNKNOWN_PART
    if isinstance(expr, ir.BinOp) and expr.op == "+":
        parts = [expr.left, expr.right]
    elif isinstance(expr, ir.JoinedStr):
        parts = [part.value if isinstance(part, ir.FormattedValue) else part for part in expr.values]
    elif isinstance(expr, ir.Call) and isinstance(expr.func, ir.Attribute) and expr.func.attr in _TRIMMING:
        parts = [expr.func.value]
    else:
        behind = objects.named(value)
        return _spelt(objects, behind, depth + 1) if behind is not None else UNKNOWN_PART
    return "".join(_spelt(objects, Value(part, scope, environment), depth + 1) for part in parts)
