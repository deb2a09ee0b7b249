"""Did a client choose a value? Followed back through assignments and callers to the parameters of operations."""

from __future__ import annotations

import msgspec

from fastapi_architect.analyses.followed_values import Place, followed, provider_of
from fastapi_architect.analyses.row_origins import model_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.definitions import Class, Function, dotted_name
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_MAX_DEPTH = 6
#: What FastAPI puts into parameters by their type, and what is no value of a client.
_NO_VALUES = ("starlette.", "fastapi.", "sqlalchemy.", "sqlmodel.", "redis.")


class ClientValue(msgspec.Struct, frozen=True, eq=False):
    """A value that a client chooses.

    Attributes:
        text: the parameter, or its field, as written: `book_id`, `payload.book_id`.
        name: the parameter.
        function: whose parameter it is: an operation's handler, or a dependency.
    """

    text: str
    name: str
    function: Function


def client_value(graph: AppGraph, expr: ir.Expr | None, place: Place) -> ClientValue | None:
    """The operation's parameter that an expression is made of; None when none is known.

    What is read from a row (`order.user_id`) is chosen by whoever wrote the row.
    """
    return _search(graph, expr, place, set(), 0)


def _search(
    graph: AppGraph, expr: ir.Expr | None, place: Place, seen: set[tuple[int, str]], depth: int
) -> ClientValue | None:
    if expr is None or depth > _MAX_DEPTH:
        return None
    inside_rows: set[int] = set()
    fields: dict[int, str] = {}
    methods: set[int] = set()
    for node in walk(expr):
        if isinstance(node, ir.Call):
            methods.add(id(node.func))
        elif isinstance(node, ir.Attribute):
            if model_of(graph, node.value, place.scope) is not None:
                inside_rows |= {id(n) for n in walk(node.value)}
            if isinstance(node.value, ir.Name) and id(node) not in methods:
                fields[id(node.value)] = dotted_name(node)
        if not isinstance(node, ir.Name) or id(node) in inside_rows:
            continue
        key = (id(place.scope), node.id)
        if key in seen:
            continue
        seen.add(key)
        if isinstance(place.scope, Function) and _is_of_client(graph, node.id, place.scope):
            return ClientValue(fields.get(id(node), node.id), node.id, place.scope)
        for each in followed(graph, node.id, place)[0]:
            found = _search(graph, each.expr, each.place, seen, depth + 1)
            if found is not None:
                return found
    return None


def _is_of_client(graph: AppGraph, name: str, function: Function) -> bool:
    """A parameter of an operation or dependency that FastAPI fills from the request."""
    if not graph.operations_running(function):
        return False
    param = next((p for p in function.parameters if p.name == name), None)
    if (
        param is None
        or (function.is_method and param is function.parameters[0])
        or provider_of(graph, param, function)
    ):
        return False
    found = options(graph.program.inference.parameter_type(param, function))
    for of in found:
        if not isinstance(of, Instance):
            return False
        if isinstance(of.cls, Class):
            if id(of.cls) in graph.database.model_of and not graph.database.model_of[id(of.cls)].is_sqlmodel:
                return False
        elif of.name.startswith(_NO_VALUES):
            return False
    return bool(found)
