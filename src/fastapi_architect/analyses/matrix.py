"""The authorisation matrix and threat model: one row for each operation of each application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.effects import Effects, effects
from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import (
    DatabaseCall,
    QueryStart,
    SessionAdd,
    SessionDelete,
    SessionGet,
)
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.program.definitions import Function, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Context
from fastapi_architect.program.types import ClassRef, Instance, options
from fastapi_architect.syntax import ir

_DATABASE_ERRORS = ("SQLAlchemyError", "OperationalError", "DBAPIError", "InterfaceError", "DatabaseError")
_REDIS_ERRORS = ("RedisError", "ConnectionError", "TimeoutError", "OSError")
#: How many calls upwards a `try` is looked for.
_MAX_CALLERS = 6
_EVERYTHING = ("Exception", "BaseException")


def matrix(graph: AppGraph) -> Iterator[dict[str, Any]]:
    """Rows of plain values, in order of applications and registration.

    Keys: application, route, method, path, kind, handler, file, line, access, guards, public_reason, inputs, tables, queries, writes,
    outbound, messages, when_database_is_down, when_redis_is_down, conditional.
    """
    for application in graph.applications:
        for operation in application.operations:
            yield row(graph, application, operation)


def row(graph: AppGraph, application: Application, operation: PathOperation) -> dict[str, Any]:
    """One row."""
    access = graph.access(operation)
    does = effects(graph).of_operation(operation)
    return {
        "application": f"{application.module_path}:{application.name}",
        "route": str(operation),
        "method": "|".join(operation.methods),
        "path": operation.path,
        "kind": operation.kind,
        "handler": operation.handler_name,
        "file": operation.location.path,
        "line": operation.location.line,
        "access": access.level.label,
        "guards": [guard.name for guard in access.guards],
        "public_reason": access.public_reason,
        "inputs": [f"{p.alias} ({p.kind})" for p in operation.all_parameters() if p.is_input],
        "tables": sorted(tables(graph, does)),
        "queries": len(does.round_trips),
        "writes": len(does.writes),
        "outbound": sorted({_host(graph, call) for call in does.outbound}),
        "messages": sorted({dotted_name(c.node.func) for c in does.messages}),
        "when_database_is_down": _when_down(
            graph, application, operation, does.round_trips, _DATABASE_ERRORS
        ),
        "when_redis_is_down": _when_down(graph, application, operation, does.redis, _REDIS_ERRORS),
        "conditional": operation.conditional,
    }


def tables(graph: AppGraph, does: Effects) -> set[str]:
    """Tables that the queries name, by model where the table's name is not known."""
    return {name for function in does.functions for name in _tables_in(graph, function)}


@question_about
def _tables_in(graph: AppGraph, function: Function) -> frozenset[str]:
    return frozenset(_named_tables(graph, function))


def _named_tables(graph: AppGraph, function: Function) -> Iterator[str]:
    for kind in (QueryStart, SessionGet, SessionAdd, SessionDelete):
        for concept in graph.within(kind, function):
            for argument in concept.node.args:
                for of in options(graph.program.inference.type_of(argument, concept.scope)):
                    model = (
                        graph.database.model_of.get(id(of.cls))
                        if isinstance(of, Instance | ClassRef)
                        else None
                    )
                    if model is not None:
                        yield (model.table.name if model.table is not None else "") or model.cls.name


def _host(graph: AppGraph, call: Concept) -> str:
    if isinstance(call, OutboundRequest) and call.url is not None:
        value = graph.program.constants.string(call.url, call.scope)
        if value:
            return value.split("?")[0]
        first = call.url.values[0] if isinstance(call.url, ir.JoinedStr) and call.url.values else call.url
        if isinstance(first, ir.Constant) and isinstance(first.value, str) and first.value.startswith("http"):
            return f"{first.value}..."
        return dotted_name(call.url) or "(computed address)"
    return call.name


def _when_down(
    graph: AppGraph,
    application: Application,
    operation: PathOperation,
    calls: tuple[DatabaseCall, ...] | tuple[Any, ...],
    errors: tuple[str, ...],
) -> str:
    """What a client sees when the backing service does not answer: unused, handled, an application's answer, or 500."""
    does = effects(graph).of_operation(operation)
    if not calls:
        # Nothing was seen, but not everything was looked at.
        return "not used" if operation.handler is not None and does.complete else "not known"
    within = frozenset(id(function) for function in does.functions)
    unhandled = [
        c
        for c in calls
        if not _is_caught(c.site.context, errors) and not _callers_catch(graph, c.scope, within, errors)
    ]
    if not unhandled:
        return "handled where it is called"
    for handler in application.exception_handlers:
        name = _handled(handler.exception)
        if name in (*errors, *_EVERYTHING, "500"):
            function = handler.handler.name if handler.handler is not None else "a handler"
            return f"answered by {function} ({name})"
    return "500"


def _handled(exception: ir.Expr | None) -> str:
    """What an exception handler is for: a class's last name, or a status code."""
    if isinstance(exception, ir.Constant):
        return str(exception.value)
    return last_name(exception) if exception is not None else ""


def _callers_catch(
    graph: AppGraph, scope: Scope, within: frozenset[int], errors: tuple[str, ...], depth: int = 0
) -> bool:
    """Every call that leads here, among the functions of one request, stands in a `try` that catches the errors."""
    if not isinstance(scope, Function) or depth > _MAX_CALLERS:
        return False
    sites = [s for s in graph.program.calls.callers(scope) if id(s.scope) in within and s.scope is not scope]
    return bool(sites) and all(
        _is_caught(s.context, errors) or _callers_catch(graph, s.scope, within, errors, depth + 1)
        for s in sites
    )


def _is_caught(context: Context, errors: tuple[str, ...]) -> bool:
    for around in context:
        if around.role == "try" and isinstance(around.node, ir.Try):
            for handler in around.node.handlers:
                names = (
                    [handler.type]
                    if handler.type is None or not isinstance(handler.type, ir.Sequence)
                    else handler.type.elts
                )
                if any(n is None or last_name(n) in (*errors, *_EVERYTHING) for n in names):
                    return True
    return False
