"""Which argument of a call goes to which parameter."""

from __future__ import annotations

from fastapi_architect.syntax import ir


def argument(call: ir.Call, position: int | None, keyword: str | None = None) -> ir.Expr | None:
    """The argument of `call` named `keyword`, else the one at `position` (none behind a `*` argument), else None."""
    if keyword is not None:
        for each in call.keywords:
            if each.arg == keyword:
                return each.value
    if position is not None and position < len(call.args):
        found = call.args[position]
        if not any(isinstance(a, ir.Starred) for a in call.args[: position + 1]):
            return found
    return None
