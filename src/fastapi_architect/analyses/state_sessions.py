"""Which database session does a middleware lay on the state of a request, and how does it end it?

`request.state.db = SessionLocal()` before `call_next`, `request.state.db.close()` behind it. A `dispatch` goes on as soon as the
response begins, before background tasks run; a pure ASGI middleware goes on when they are done.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fastapi_architect.analyses.session_owners import LocalSession, local_sessions
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.concepts.database import SessionCreation, TransactionBegin
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.syntax import ir


class StateSession(msgspec.Struct, frozen=True, eq=False):
    """A session that lies on the state of every request.

    Attributes:
        middleware: the function that opens it.
        attribute: its name there: `db` of `request.state.db`.
        closes: it is closed behind the handler.
        commits: it is committed behind the handler.
        before_tasks: that happens before background tasks run.
    """

    middleware: Function
    attribute: str
    closes: bool
    commits: bool
    before_tasks: bool


def state_session(graph: AppGraph, operation: PathOperation, attribute: str) -> StateSession | None:
    """The session that some middleware of an operation lays there, None when none does."""
    for middleware in graph.application_of(operation).middleware:
        if middleware.function is not None:
            for each in state_sessions(graph, middleware.function):
                if each.attribute == attribute:
                    return each
    return None


@question_about
def state_sessions(graph: AppGraph, middleware: Function) -> tuple[StateSession, ...]:
    """Every session that a middleware's function lays on the state."""
    found = []
    for site in middleware.facts.sites(ir.Assign):
        attributes = [attribute for each in site.node.targets if (attribute := state_attribute(each))]
        if not attributes:
            continue
        value: Any = site.node.value
        opened = local_sessions(graph, middleware).get(value.id) if value.__class__ is ir.Name else None
        if opened is not None or any(c.node is value for c in graph.within(SessionCreation, middleware)):
            found += [_read(graph, middleware, attribute, opened) for attribute in attributes]
    return tuple(found)


def state_attribute(expr: ir.Expr | None) -> str:
    """`db` of `request.state.db`, "" for anything else."""
    if not isinstance(expr, ir.Attribute) or not isinstance(expr.value, ir.Attribute):
        return ""
    return expr.attr if expr.value.attr == "state" and last_name(expr.value.value) != "app" else ""


def _read(graph: AppGraph, middleware: Function, attribute: str, opened: LocalSession | None) -> StateSession:
    def is_told(method: str) -> bool:
        """The session gets this call, by either of its names."""
        receivers = [getattr(s.node.func, "value", None) for s in middleware.facts.calls_named(method)]
        names = {opened.name} if opened is not None else set()
        return any(
            state_attribute(each) == attribute or (isinstance(each, ir.Name) and each.id in names)
            for each in receivers
        )

    entered = opened is not None and opened.binding.kind == "with"
    commits = is_told("commit") or (opened is not None and opened.ends == "commits")
    return StateSession(
        middleware,
        attribute,
        closes=entered or is_told("close"),
        commits=commits or bool(graph.within(TransactionBegin, middleware)),
        before_tasks=middleware.name != "__call__",
    )
