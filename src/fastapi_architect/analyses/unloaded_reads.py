"""Which relationships are read of a row of an asyncio session without having been loaded? Reading them raises MissingGreenlet.

By an attribute in the code, by a schema that is filled from the row, or by the response model of an operation.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fastapi_architect.analyses.caught_around import is_caught
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.followed_values import Place, returned
from fastapi_architect.analyses.lazy_fields import LazyField, element_type, lazy_fields, model_in, schema_in
from fastapi_architect.analyses.lazy_reads import LazyRead, lazy_reads
from fastapi_architect.analyses.lazy_rounds import keys_of, leads_to_one
from fastapi_architect.analyses.row_origins import Origin, operations_with, origins
from fastapi_architect.analyses.row_writes import models_read_by
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model, Relationship
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.database import Commit, LoaderOption, SessionFlush, SessionRefresh, SyncBridge
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.types import FunctionRef, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_CAUGHT = frozenset(
    {"MissingGreenlet", "InvalidRequestError", "SQLAlchemyError", "Exception", "BaseException"}
)
#: Attributes by which code asks what is loaded.
_ASKS = frozenset({"unloaded", "__dict__", "loaded_value"})
_FROM_QUERIES = ("query", "get", "relationship")


class UnloadedRead(msgspec.Struct, frozen=True, eq=False):
    """A reading that fails.

    Attributes:
        read: where it is written.
        origin: where the row comes from.
        sure: on every way that the row takes to it, and no option is unknown.
    """

    read: LazyRead
    origin: Origin
    sure: bool


class UnloadedFields(msgspec.Struct, frozen=True, eq=False):
    """Fields of a response model that fail.

    Attributes:
        operation: whose answer it is.
        handler: its function.
        fields: the fields.
        model: the row.
        origin: where the row comes from.
        sure: as for `UnloadedRead`.
    """

    operation: PathOperation
    handler: Function
    fields: tuple[LazyField, ...]
    model: Model
    origin: Origin
    sure: bool


@question
def unloaded_reads(graph: AppGraph) -> tuple[UnloadedRead, ...]:
    """Every reading in the code, in order of files."""
    found = []
    for read in lazy_reads(graph):
        if not read.awaited and id(read.function) not in _run_by_sync(graph):
            each = _of_read(graph, read)
            if each is not None:
                found.append(each)
    return tuple(found)


@question
def unloaded_fields(graph: AppGraph) -> tuple[UnloadedFields, ...]:
    """Every response model that reads such relationships, in order of operations."""
    return tuple(
        each for operation in graph.operations if (each := _of_operation(graph, operation)) is not None
    )


# ── in the code ─────────────────────────────────────────────────────────────────────────────────────────────────


def _of_read(graph: AppGraph, read: LazyRead) -> UnloadedRead | None:
    found = origins(graph, read.row, Place(read.function))
    failing = [o for o in found if _fails(graph, o, read.relationship, read.path[-1], read.model, read)]
    if not failing or read.site.context.inside("lambda") is not None or _is_loaded_by_callers(graph, read):
        return None
    others = [o for o in found if o.kind != "unknown" and all(o is not each for each in failing)]
    sure = not others and not any(o.loaded.unknown for o in failing)
    sure = sure and not is_caught(read.site, _CAUGHT) and not _is_held(read, failing[0], graph)
    operations = operations_with(graph, read.function, failing[0]) if sure else ()
    sure = sure and not _is_loaded_by_others(graph, operations, read.path[-1])
    return UnloadedRead(read, failing[0], sure)


def _fails(
    graph: AppGraph,
    origin: Origin,
    relationship: Relationship,
    name: str,
    model: Model,
    read: LazyRead | None,
) -> bool:
    if origin.kind in _FROM_QUERIES:
        if not origin.is_async or origin.loaded.covers(name):
            return False
        if not relationship.uselist and leads_to_one(relationship, model, origin, graph):
            return False
    elif origin.kind != "made" or not _is_stored(graph, origin, name, read):
        return False
    elif not relationship.uselist and not _has_key(origin, relationship, model, graph):
        return False  # without a key there is nothing to load
    scopes = _scopes(origin, read)
    return not any(_loads(graph, scope, name) for scope in scopes)


def _scopes(origin: Origin, read: LazyRead | None) -> list[Scope]:
    """Bodies that the row passes."""
    passed: dict[int, Scope] = {id(origin.place.scope): origin.place.scope}
    for call in origin.place.calls:
        passed[id(call.scope)] = call.scope
    if read is not None:
        passed[id(read.function)] = read.function
    return list(passed.values())


def _is_stored(graph: AppGraph, origin: Origin, name: str, read: LazyRead | None) -> bool:
    """A new row was sent to the database before, and has no value for the relationship since."""
    call, scope = (origin.site.node if origin.site is not None else None), origin.place.scope
    if not isinstance(call, ir.Call) or any(k.arg in (name, None) for k in call.keywords):
        return False
    if read is not None and scope is not read.function:
        return False
    for kind in (Commit, SessionFlush):
        for sent in graph.within(kind, scope):
            behind = sent.node.span > call.span
            if sent.is_async and behind and (read is None or sent.node.span < read.site.node.span):
                return not _is_touched(scope, name, sent.node.span)
    return False


def _has_key(origin: Origin, relationship: Relationship, model: Model, graph: AppGraph) -> bool:
    """The new row was given the foreign key of the relationship."""
    call = origin.site.node if origin.site is not None else None
    given = {k.arg for k in call.keywords} if isinstance(call, ir.Call) else set()
    return bool(given & (keys_of(relationship, model, graph) - {relationship.attribute}))


def _is_touched(scope: Scope, name: str, before: int) -> bool:
    """`order.items.append(item)`: the relationship of the new row was read before it was sent."""
    return any(s.node.attr == name and s.node.span < before for s in scope.facts.sites(ir.Attribute))


def _is_loaded_in(graph: AppGraph, scope: Scope, name: str) -> bool:
    """The body loads or sets the attribute itself, or asks what is loaded."""
    for refresh in graph.within(SessionRefresh, scope):
        named = [n for n in walk(refresh.attributes) if isinstance(n, ir.Constant)]
        if refresh.attributes is not None and (not named or any(n.value == name for n in named)):
            return True
    for site in scope.facts.sites(ir.Attribute):
        node = site.node
        if node.attr in _ASKS:
            return True
        if node.attr == name:
            if isinstance(node.value, ir.Attribute) and node.value.attr == "awaitable_attrs":
                return True
            if any(target is node for target in getattr(site.statement, "targets", ())):
                return True
    return bool(scope.facts.calls_named("set_committed_value"))


def _is_loaded_by_callers(graph: AppGraph, read: LazyRead) -> bool:
    """Whoever calls the function with a row has the relationship loaded first."""
    callers = [s for s in graph.program.calls.callers(read.function) if s.scope.module.kind == "source"]
    return bool(callers) and all(_loads(graph, site.scope, read.path[-1]) for site in callers)


def _loads(graph: AppGraph, scope: Scope, name: str) -> bool:
    return _is_loaded_in(graph, scope, name) or _is_loaded_below(graph, scope, name)


def _is_loaded_below(graph: AppGraph, scope: Scope, name: str) -> bool:
    """A function that the body awaits loads the attribute: `await _load_users(rows)` awaits `row.awaitable_attrs.user`."""
    calls = [site.node.value for site in scope.facts.sites(ir.Await)]
    return any(
        _awaits_attribute(target, name)
        for site in scope.facts.calls
        if any(site.node is call for call in calls) and (site.node.args or site.node.keywords)
        for target in graph.program.calls.targets(site)
    )


def _awaits_attribute(function: Function, name: str) -> bool:
    """`await row.awaitable_attrs.user`."""
    return any(
        site.node.attr == name and getattr(site.node.value, "attr", "") == "awaitable_attrs"
        for site in function.facts.sites(ir.Attribute)
    )


def _is_held(read: LazyRead, origin: Origin, graph: AppGraph) -> bool:
    """The same body asks for rows of the target, too: the session may hold the one that is meant."""
    if read.relationship.uselist:
        return False
    scopes = [s for s in _scopes(origin, read) if isinstance(s, Function)]
    return any(m.cls is read.relationship.target for scope in scopes for m in models_read_by(scope, graph))


def _is_loaded_by_others(graph: AppGraph, operations: Iterable[PathOperation], name: str) -> bool:
    """Another query of the same request loads the attribute; the session then gives the same object, with it."""
    reached = (f for operation in operations for f in effects(graph).reached(operation.functions)[0])
    return any(
        option.kind in ("selectin", "joined", "subquery", "contains")
        and any(last_name(attribute) == name for attribute in option.attributes)
        for function in reached
        for option in graph.within(LoaderOption, function)
    )


@question
def _run_by_sync(graph: AppGraph) -> frozenset[int]:
    """Functions that `run_sync` runs, and all that they call: there lazy loading works."""
    targets = [
        of.function
        for bridge in graph.facts(SyncBridge)
        for of in options(graph.program.inference.type_of(bridge.target, bridge.scope))
        if isinstance(of, FunctionRef)
    ]
    return frozenset(id(f) for f in effects(graph).reached(targets)[0]) if targets else frozenset()


# ── in the answer ───────────────────────────────────────────────────────────────────────────────────────────────


def _of_operation(graph: AppGraph, operation: PathOperation) -> UnloadedFields | None:
    handler, of = operation.handler, operation.response_type
    if handler is None or of is None or operation.is_websocket:
        return None
    given = graph.program.inference.awaited(graph.program.inference.return_type(handler))
    model = model_in(element_type(given) or given, graph)
    schema = schema_in(element_type(of) or of, graph)
    if schema is None or model is None or schema.kind.startswith("sqlmodel-table"):
        return None
    fields = list(lazy_fields(schema, model, graph))
    if not fields:
        return None
    found = [o for site in returned(graph, handler) for o in origins(graph, site.node.value, Place(handler))]
    return _failing(graph, operation, handler, fields, model, found)


def _failing(
    graph: AppGraph,
    operation: PathOperation,
    handler: Function,
    fields: Iterable[LazyField],
    model: Model,
    found: list[Origin],
) -> UnloadedFields | None:
    failing: dict[int, Origin] = {}
    lazy = []
    for field in fields:
        first = len(field.path) == 1
        those = [o for o in found if _fails(graph, o, field.relationship, field.path[-1], model, None)]
        if those and first and not _is_loaded_in(graph, handler, field.path[-1]):
            lazy.append(field)
            failing.update((id(o), o) for o in those)
    if not lazy:
        return None
    origin = next(iter(failing.values()))
    others = [o for o in found if id(o) not in failing]
    sure = not others and not any(o.loaded.unknown for o in failing.values())
    return UnloadedFields(operation, handler, tuple(lazy), model, origin, sure)
