"""One operation with everything that happens between a request and its answer, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.blocking_ways import COUNTED, blocking_ways, on_the_loop
from fastapi_architect.analyses.effects import Effects, effects
from fastapi_architect.analyses.event_loop import event_loop
from fastapi_architect.analyses.lazy_fields import element_type, schema_in
from fastapi_architect.analyses.matrix import row
from fastapi_architect.analyses.parameter_bounds import bounds
from fastapi_architect.analyses.request_queries import RequestQuery, Search, request_queries
from fastapi_architect.analyses.source_text import block_of, text_at
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.appgraph.named_routes import NamedRoute, routes_named
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.schemas import Schema, SchemaField
from fastapi_architect.appgraph.security import Guard
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.database import Commit, TransactionBegin
from fastapi_architect.concepts.messaging import BackgroundTaskAdd
from fastapi_architect.findings.finding import Finding
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Function, Scope, dotted_name
from fastapi_architect.program.types import Type, options
from fastapi_architect.report.json import finding_document
from fastapi_architect.review import masking, reading
from fastapi_architect.review.pipeline import Request, project_of, review
from fastapi_architect.review.result import Review
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location
from fastapi_architect.source.tree import SourceTree
from fastapi_architect.syntax import ir

#: Schemas inside schemas that are written out.
_MAX_DEPTH = 3
_LONGEST = 120
_SECRET = lazy_pattern(r"(?i)secret|password|passwd|token|api_?key|credential|private")
#: What of a finding answers "what is wrong with this route?"; `architect explain` and `review` say the rest.
_SHORT = ("file", "line", "rule", "severity", "confidence", "issue", "cwe", "cvss_score", "fingerprint")


class Shown(msgspec.Struct, frozen=True):
    """What was asked for.

    Attributes:
        routes: one document for each operation that is meant; see `document`.
        reviewed: rules were asked, and findings stand in the documents.
        notes: what a reader should know besides: what could not be followed or analysed.
    """

    routes: tuple[dict[str, Any], ...]
    reviewed: bool
    notes: tuple[str, ...]


def show(request: Request, wanted: str, *, application: str = "", findings: bool = True) -> Shown:
    """Read a backend, and tell all about the operations that are meant.

    Args:
        request: what to read, as for a review.
        wanted: see `routes_named`.
        application: only of this one, "" for all.
        findings: ask every rule, and add what touches the operation; without, it is several times quicker.

    Raises:
        NoSuchRoute: nothing is meant.
        NoSuchPath: there is nothing at the path.
    """

    def documents(graph: AppGraph) -> tuple[dict[str, Any], ...]:
        return tuple(document(graph, each) for each in routes_named(graph, wanted, application))

    if findings:
        result = review(replace(request, question=documents))
        found = cast("tuple[dict[str, Any], ...]", result.answer)
        return Shown(tuple(_with_findings(each, result) for each in found), True, result.notes)
    root, _ = project_of(request.path, within=request.within)
    tree = replace(SourceTree.open(root, request.config.exclude), instead=request.instead)
    with reading.without_garbage_collection():
        read = reading.read(tree, request.config, jobs=request.jobs, cache=request.cache)
        notes = tuple(f"{u.location}: {u.what}: {u.reason}" for u in read.graph.unresolved)
        return Shown(documents(read.graph), False, notes)


def document(graph: AppGraph, named: NamedRoute) -> dict[str, Any]:
    """Everything about one operation: the row of the map, and what lies behind each of its cells."""
    application, operation = named.application, named.operation
    does = effects(graph).of_operation(operation)
    asks = request_queries(operation, graph)
    access = graph.access(operation)
    return {
        **row(graph, application, operation),
        "route": named.names[0] if len(named.names) == 1 else f"{'|'.join(operation.methods)} {named.path}",
        "path": named.path,
        "methods": list(operation.methods),
        "names": list(operation.names),
        "handler_lines": _lines(operation.handler),
        "middleware": [_middleware(graph, operation, each) for each in application.middleware],
        "guards": [_guard(each) for each in access.guards],
        "dependencies": _Resolved(graph).tree(operation.dependencies),
        "parameters": list(_parameters(graph, operation)),
        "queries": [_query(each) for each in asks.queries],
        "searches": [_search(each) for each in asks.others],
        "query_count": {
            "text": asks.count,
            "n": asks.rows.text if asks.repeated else "",
            "at_most": asks.most,
            "complete": asks.complete,
        },
        "effects": _effects(graph, does),
        "blocking": list(_blocking(graph, does)),
        "response": _response(graph, operation),
        "notes": list(_notes(operation, does)),
    }


def _lines(handler: Function | None) -> list[int] | None:
    """First and last line of a handler with its decorators."""
    if handler is None:
        return None
    block = block_of(handler)
    return [block.line, block.end_line]


def _place(location: Location) -> dict[str, Any]:
    return {"file": location.path, "line": location.line}


def _written(graph: AppGraph, expr: ir.Expr | None, scope: Scope) -> str:
    """An expression as it stands in its file, on one line and of a length that can be read."""
    if expr is None:
        return ""
    text = " ".join(text_at(graph, scope.location(expr)).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


# ── what stands before the handler ───────────────────────────────────────────────────────────────────────────────


def _middleware(graph: AppGraph, operation: PathOperation, each: Middleware) -> dict[str, Any]:
    guard = graph.guards.of_middleware(each)
    tested = ""
    if guard is not None and each.function is not None:
        kind = "websocket" if operation.is_websocket else "http"
        methods = operation.methods if kind == "http" else ("GET",)
        found = {graph.guards.passage(each, operation.path, method, kind).kind for method in methods}
        tested = "checked" if found == {"checked"} else "passes"
    return {
        "name": each.name,
        **_place(each.location),
        "conditional": each.conditional,
        "guards": guard.level.label if guard is not None else None,
        "why": guard.why if guard is not None else "",
        "this_path": tested,
    }


def _guard(guard: Guard) -> dict[str, Any]:
    declared = guard.dependency.location if guard.dependency is not None else None
    return {
        "name": guard.name,
        "level": guard.level.label,
        "why": guard.why,
        "declared": _place(declared) if declared is not None else None,
    }


class _Resolved:
    """The tree of one request as FastAPI resolves it: what is below runs first, and what is shared runs once."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._order: dict[tuple[object, ...], int] = {}
        self._runs = 0

    def tree(self, dependencies: Iterable[Dependency]) -> list[dict[str, Any]]:
        """Documents of some dependencies, in the order in which they are declared."""
        return [self._node(each) for each in dependencies]

    def _node(self, each: Dependency) -> dict[str, Any]:
        below = self.tree(each.dependencies)
        called = each.function if each.function is not None else each.cls
        key = (
            id(called) if called is not None else each.name,
            id(each.creation[0]) if each.creation is not None else 0,
            each.security_scopes,
        )
        known = self._order.get(key) if each.use_cache else None
        if known is None:
            self._runs += 1
            self._order[key] = self._runs
        reused = known is not None
        guard = self._graph.guards.of_dependency(each)
        return {
            "name": each.name,
            "parameter": each.parameter_name,
            "order": known if known is not None else self._runs,
            "reused": reused,
            "declared": {"level": each.level, **_place(each.location)},
            "defined": _place(called.location()) if called is not None else None,
            "resolved": each.resolved,
            "runs": self._runs_on(each),
            **self._given(each),
            "guards": guard.level.label if guard is not None else None,
            "why": guard.why if guard is not None else "",
            "scopes": list(each.security_scopes),
            "use_cache": each.use_cache,
            "reads": [f"{p.alias} ({p.kind})" for p in each.parameters if p.is_input],
            # What is shared is written out where it runs.
            "dependencies": [child for child in below if not (reused and child["reused"])],
        }

    def _runs_on(self, each: Dependency) -> str:
        """Where FastAPI calls it: coroutines on the event loop, everything else in a thread of its pool."""
        if each.function is None:
            if each.instance_of.startswith("fastapi.security."):
                return "event loop"
            return "thread pool" if each.cls is not None else "not known"
        return "event loop" if each.function.is_async and each.function.name != "__init__" else "thread pool"

    def _given(self, each: Dependency) -> dict[str, Any]:
        """What the handler or another dependency gets of it."""
        function = each.function
        if function is None or function.name == "__init__":
            gives = each.cls.name if each.cls is not None else ""
            return {"gives": gives, "yields": False, "session": None}
        returns = function.node.returns
        if function.is_generator and isinstance(returns, ir.Subscript):
            inner = returns.slice
            returns = inner.elts[0] if isinstance(inner, ir.Sequence) and inner.elts else inner
        return {
            "gives": _written(self._graph, returns, function),
            "yields": function.is_generator,
            "session": self._session(function),
        }

    def _session(self, function: Function) -> dict[str, bool] | None:
        for provider in self._graph.database.session_providers:
            if provider.function is function:
                return {
                    "commits": provider.commits,
                    "rolls_back": provider.rolls_back,
                    "closes": provider.closes,
                    "swallows_errors": provider.swallows,
                }
        return None


# ── what comes in, and what goes out ─────────────────────────────────────────────────────────────────────────────


def _parameters(graph: AppGraph, operation: PathOperation) -> Iterator[dict[str, Any]]:
    declared = [("", operation.parameters)]
    declared += [(each.name, each.parameters) for each in operation.all_dependencies()]
    seen: set[tuple[str, str]] = set()
    for by, parameters in declared:
        for each in parameters:
            if each.is_input and (each.alias, each.kind) not in seen:
                seen.add((each.alias, each.kind))
                yield _parameter(graph, each, by)


def _parameter(graph: AppGraph, each: Parameter, by: str) -> dict[str, Any]:
    given = (
        each.default
        if each.default is not None or each.marker is None
        else argument(each.marker, 0, "default")
    )
    default = _written(graph, given, each.owner if given is each.default else each.scope)
    schemas = [] if each.model is not None else _schemas(graph, each.type)
    return {
        "name": each.name,
        "alias": each.alias,
        "kind": each.kind,
        "required": each.required,
        "type": _written(graph, each.annotation, each.scope),
        "default": masking.masked(default) if _SECRET.search(each.name) else default,
        "constraints": _constraints(bounds(each, graph)),
        "of": by or each.owner.full_name,
        **_place(each.location),
        "fields": [field for schema in schemas for field in _fields(graph, schema)],
        "extra": schemas[0].extra if schemas else None,
    }


def _schemas(graph: AppGraph, of: Type | None) -> list[Schema]:
    """Schemas that a value may be, or may be a list of."""
    found: list[Schema] = []
    for option in options(of):
        schema = schema_in(element_type(option) or option, graph)
        if schema is not None and all(schema.cls is not each.cls for each in found):
            found.append(schema)
    return found


def _fields(
    graph: AppGraph, schema: Schema, depth: int = 1, *, output: bool = False
) -> Iterator[dict[str, Any]]:
    for field in schema.fields:
        if field.excluded if output else field.is_computed:
            continue
        inner = _schemas(graph, field.type) if depth < _MAX_DEPTH else []
        yield {
            "name": (field.serialization_alias if output else field.alias) or field.name,
            "type": _field_type(graph, field),
            "required": field.required,
            "constraints": _constraints(field.constraints),
            "element_constraints": _constraints(field.element_constraints),
            "validators": []
            if output
            else [v.function.name for v in schema.validators_of(field.name) if v.function is not None],
            "fields": [each for below in inner for each in _fields(graph, below, depth + 1, output=output)],
        }


def _field_type(graph: AppGraph, field: SchemaField) -> str:
    return _written(graph, field.annotation, field.owner)


def _constraints(found: dict[str, Any]) -> dict[str, Any]:
    """Names to plain values; what is no constant of the code is said to be computed."""
    return {name: _plain(value) for name, value in sorted(found.items())}


def _plain(value: Any) -> Any:
    if value is UNKNOWN:
        return "(computed)"
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)


def _response(graph: AppGraph, operation: PathOperation) -> dict[str, Any]:
    schemas = _schemas(graph, operation.response_type)
    scope = operation.response_scope
    return {
        "model": _written(graph, operation.response_model, scope) if scope is not None else "",
        "declared": operation.response_model is not None,
        "status": operation.status_code,
        "fields": [field for schema in schemas for field in _fields(graph, schema, output=True)],
    }


# ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────


def _query(each: RequestQuery) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "function": each.function,
        **_place(each.location),
        "tables": list(each.tables),
        "loops": each.loops,
        "once_for_each": each.each,
        "sure": each.sure,
        "index": each.index,
        "searches": [_search(search) for search in each.searches],
    }


def _search(each: Search) -> dict[str, Any]:
    return {
        "table": each.table,
        "column": each.column,
        "operator": each.operator,
        "index": each.index,
        **_place(each.location),
    }


def _effects(graph: AppGraph, does: Effects) -> dict[str, list[dict[str, Any]]]:
    commits: list[Concept] = []
    later: list[Concept] = []
    for function in does.functions:
        commits += graph.within(Commit, function)
        commits += [b for b in graph.within(TransactionBegin, function) if b.managed and not b.nested]
        later += graph.within(BackgroundTaskAdd, function)
    groups = {
        "writes": does.writes,
        "commits": commits,
        "enqueues": does.messages,
        "background_tasks": later,
        "outbound": does.outbound,
        "redis": does.redis,
        "files": does.files,
    }
    return {name: [_effect(graph, each) for each in found] for name, found in groups.items()}


def _effect(graph: AppGraph, each: Concept) -> dict[str, Any]:
    target = getattr(each, "target", None)
    written = dotted_name(each.node.func) or _written(graph, each.node.func, each.scope)
    return {
        "call": f"{written}({_written(graph, target, each.scope)})" if target is not None else written,
        "function": each.scope.full_name,
        **_place(each.location),
        "loops": each.site.loops,
    }


def _blocking(graph: AppGraph, does: Effects) -> Iterator[dict[str, Any]]:
    """Calls that hold up the event loop, and with it every other request, while this one runs."""
    reached = {id(function) for function in does.functions}
    told: set[int] = set()
    for function in does.functions:
        for call in graph.within(BlockingCall, function):
            if call.kind in COUNTED and on_the_loop(call, graph) is not None:
                told.add(id(call.node))
                yield _blocked(call, [])
    for first in blocking_ways(graph).first_calls():
        if id(first.coroutine) not in reached or not event_loop(graph).of(first.coroutine).serves:
            continue
        for way in first.ways:
            if id(way.blocking.node) not in told:
                told.add(id(way.blocking.node))
                yield _blocked(way.blocking, [hop.scope.location(hop.node) for hop in way.hops])


def _blocked(call: BlockingCall, through: list[Location]) -> dict[str, Any]:
    return {
        "call": dotted_name(call.node.func) or call.name,
        "kind": call.kind,
        "function": call.scope.full_name,
        **_place(call.location),
        "instead": call.instead,
        "through": [_place(each) for each in through],
    }


def _notes(operation: PathOperation, does: Effects) -> Iterator[str]:
    if operation.handler is None:
        yield "the handler could not be followed: what it does is not known"
    if not does.complete:
        yield "it calls so many functions that not all were looked into"
    if operation.floating:
        yield "code that cannot be followed includes its router: its prefix, guards and middleware are not all known"
    if operation.conditional:
        yield "it is registered under a condition"
    for dependency in operation.all_dependencies():
        if not dependency.resolved:
            yield f"the dependency {dependency.name} could not be followed ({dependency.location})"


# ── what is wrong ────────────────────────────────────────────────────────────────────────────────────────────────


def _with_findings(document: dict[str, Any], result: Review) -> dict[str, Any]:
    """The document with the findings that touch its operation, in the order of the review."""
    secret = masking.secret_lines((*result.findings, *(each.finding for each in result.suppressed)))
    for parameter in document["parameters"]:
        if (parameter["file"], parameter["line"]) in secret:
            parameter["default"] = masking.masked(parameter["default"])
    touching = [each for each in result.findings if _touches(each, document)]
    findings = [{key: finding_document(each)[key] for key in _SHORT} for each in touching]
    return {**document, "findings": findings}


def _touches(finding: Finding, document: dict[str, Any]) -> bool:
    if finding.application and finding.application != document["application"]:
        return False
    if finding.routes:
        return not set(finding.routes).isdisjoint(document["names"])
    lines, place = document["handler_lines"], finding.location
    return place.path == document["file"] and lines is not None and lines[0] <= place.line <= lines[1]
