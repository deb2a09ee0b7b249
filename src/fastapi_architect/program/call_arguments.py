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
        for index, given in enumerate(call.args):
            if given.__class__ is ir.Starred:
                return None
            if index == position:
                return given
    return None
