"""Which answer is filled from rows one relationship at a time: the response model reads it, no query loads it?"""

from __future__ import annotations

import msgspec

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.followed_values import Place, returned
from fastapi_architect.analyses.lazy_fields import LazyField, element_type, lazy_fields, model_in, schema_in
from fastapi_architect.analyses.loaded_together import Loaded
from fastapi_architect.analyses.row_origins import origins
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.concepts.database import LoaderOption, SqlExecution
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.syntax import ir


class LazyResponse(msgspec.Struct, frozen=True, eq=False):
    """A relationship that is loaded once for each row of an answer.

    Attributes:
        field: the field of the response model that reads it.
        model: what the rows are.
        sure: everything that may load it before was looked at.
    """

    field: LazyField
    model: Model
    sure: bool


def lazy_response(operation: PathOperation, graph: AppGraph) -> LazyResponse | None:
    """The first such relationship of an operation's answer; None when all are loaded, or it returns no list of rows."""
    handler = operation.handler
    if handler is None or operation.response_type is None or operation.is_websocket:
        return None
    schema = schema_in(element_type(operation.response_type), graph)
    model = model_in(element_type(graph.program.inference.return_type(handler)), graph)
    if schema is None or model is None or schema.kind.startswith("sqlmodel-table"):
        return None
    lazy = list(lazy_fields(schema, model, graph))
    if not lazy:
        return None
    reached, complete = effects(graph).reached(operation.functions)
    if _is_async(reached, graph):
        return None
    loaded = _loaded_with(handler, graph)
    known = bool(loaded)
    loaded = loaded or [_loaded_anywhere(reached, graph)]
    for found in lazy:
        name = found.relationship.attribute
        if any(not each.covers(name) for each in loaded):
            sure = (complete or known) and not any(each.unknown or each.covers(name) for each in loaded)
            return LazyResponse(found, model, sure)
    return None


def _loaded_with(handler: Function, graph: AppGraph) -> list[Loaded]:
    """What the queries load whose rows the handler returns; nothing when the rows cannot be followed to them."""
    found = [
        origin
        for site in returned(graph, handler)
        for origin in origins(graph, site.node.value, Place(handler))
        if origin.kind != "made"
    ]
    return [] if any(origin.kind == "unknown" for origin in found) else [origin.loaded for origin in found]


def _loaded_anywhere(functions: tuple[Function, ...], graph: AppGraph) -> Loaded:
    """Attributes that some loader option names; `unknown` where one cannot be read."""
    found: set[str] = set()
    unknown = False
    for function in functions:
        # Options of a constant, or those that a dependency was made with.
        given = [a for site in function.facts.calls_named("options") for a in site.node.args]
        unknown = unknown or any(isinstance(a, ir.Starred) for a in given)
        for option in graph.within(LoaderOption, function):
            if option.kind in ("selectin", "joined", "subquery", "contains", "raise", "noload"):
                names = {last_name(a) for a in option.attributes} or {""}
                unknown = unknown or "" in names
                found |= names
    return Loaded(frozenset(found), unknown=unknown)


def _is_async(functions: tuple[Function, ...], graph: AppGraph) -> bool:
    return any(call.is_async for function in functions for call in graph.within(SqlExecution, function))
