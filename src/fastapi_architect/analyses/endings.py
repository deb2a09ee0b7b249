"""How a body ends: whether its end can be reached, and with which statement a block leaves it."""

from __future__ import annotations

from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.syntax import ir

#: Calls that never return.
_NEVER_RETURN = frozenset({"exit", "_exit", "abort", "assert_never"})
#: Context managers that may end an exception, and so let the block behind them go on.
_SUPPRESSES = frozenset({"suppress", "raises"})


def falls_off(function: Function) -> bool:
    """Some way reaches the end of the body without `return` or `raise`: the function gives None there."""
    return reaches_end(function.body)


def reaches_end(body: list[ir.Stmt]) -> bool:
    """Control may leave a block at its end."""
    return not any(_leaves(statement) for statement in body)


def _leaves(statement: ir.Stmt) -> bool:
    """Control never goes on behind a statement."""
    if isinstance(statement, ir.Return | ir.Raise):
        return True
    if isinstance(statement, ir.Jump):
        return statement.kind in ("continue", "break")
    if isinstance(statement, ir.ExprStmt):
        value = statement.value.value if isinstance(statement.value, ir.Await) else statement.value
        return isinstance(value, ir.Call) and last_name(value.func) in _NEVER_RETURN
    if isinstance(statement, ir.If):
        blocks = [statement.body, *(branch.body for branch in statement.elifs), statement.orelse]
        return bool(statement.orelse) and not any(reaches_end(block) for block in blocks)
    if isinstance(statement, ir.With):
        calls = (i.context.func for i in statement.items if isinstance(i.context, ir.Call))
        return not reaches_end(statement.body) and not any(last_name(c) in _SUPPRESSES for c in calls)
    if isinstance(statement, ir.Try):
        return _try_leaves(statement)
    if isinstance(statement, ir.Match):
        return any(case.wildcard for case in statement.cases) and not any(
            reaches_end(case.body) for case in statement.cases
        )
    if isinstance(statement, ir.While):
        endless = isinstance(statement.test, ir.Constant) and bool(statement.test.value)
        return endless and not _breaks(statement.body)
    return False


def _try_leaves(statement: ir.Try) -> bool:
    if statement.finalbody and not reaches_end(statement.finalbody):
        return True
    normal = reaches_end(statement.body) and (not statement.orelse or reaches_end(statement.orelse))
    return not normal and not any(reaches_end(handler.body) for handler in statement.handlers)


def _breaks(body: list[ir.Stmt]) -> bool:
    """A `break` that belongs to this loop."""
    for statement in body:
        if isinstance(statement, ir.Jump) and statement.kind == "break":
            return True
        blocks: list[list[ir.Stmt]] = []
        if isinstance(statement, ir.If):
            blocks = [statement.body, *(branch.body for branch in statement.elifs), statement.orelse]
        elif isinstance(statement, ir.With):
            blocks = [statement.body]
        elif isinstance(statement, ir.Try):
            handlers = [handler.body for handler in statement.handlers]
            blocks = [statement.body, *handlers, statement.orelse, statement.finalbody]
        elif isinstance(statement, ir.Match):
            blocks = [case.body for case in statement.cases]
        if any(_breaks(block) for block in blocks):
            return True
    return False
