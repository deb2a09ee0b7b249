"""Where do the rows come from that an expression holds: which query, by which session, loaded together with what?

Followed backwards through variables, loops, comprehensions, parameters, dependencies, services and repositories.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.followed_values import (
    Followed,
    Place,
    attribute_values,
    called_functions,
    followed,
    provider_of,
    returned,
)
from fastapi_architect.analyses.loaded_together import Loaded, loaded_by, loaded_by_options
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model, Relationship
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import RowFetch, SessionGet, SqlExecution
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, Instance, options
from fastapi_architect.syntax import ir

_MAX_STEPS = 150
#: Calls whose result holds the elements of an argument.
_SAME = frozenset(
    {"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "enumerate", "next", "max", "min"}
    | {"deepcopy", "copy", "cast", "deque"}
)
#: Methods whose result holds the elements of the receiver.
_OF_RECEIVER = frozenset(
    {"values", "items", "copy", "get", "pop", "popleft", "setdefault", "unique", "scalars"}
)
_NUMBERS = frozenset({"count", "exists"})
_SINGLE = frozenset({"first", "one", "one_or_none", "scalar", "scalar_one", "scalar_one_or_none"})


class Origin(msgspec.Struct, frozen=True, eq=False):
    """One way in which rows come to be where they are.

    Attributes:
        kind: query, get, relationship (of a row), made (the class is called), or unknown.
        site: the call or the reading of the relationship.
        place: where that stands.
        is_async: by a session of asyncio.
        loaded: what came together with the rows; for a relationship, with the row that it was read from.
        single: one row, not many.
        may_be_none: no row gives None.
        relationship: that they were read from.
        at_hand: the relationship was read from a row that is made here, or leads back to what that row was read from.
    """

    kind: str
    site: Site | None
    place: Place
    is_async: bool = False
    loaded: Loaded = Loaded()
    single: bool = False
    may_be_none: bool = False
    relationship: Relationship | None = None
    at_hand: bool = False


def model_of(graph: AppGraph, expr: ir.Expr, scope: Scope) -> Model | None:
    """The model that an expression is a row of; None when it is none, or may be one of several."""
    found = {
        id(option.cls): graph.database.model_of[id(option.cls)]
        for option in options(graph.program.inference.type_of(expr, scope))
        if isinstance(option, Instance) and id(option.cls) in graph.database.model_of
    }
    return next(iter(found.values())) if len(found) == 1 else None


def origins(graph: AppGraph, expr: ir.Expr | None, place: Place) -> tuple[Origin, ...]:
    """Where the rows that an expression holds (one, or many) come from; `unknown` among them where some way is lost."""
    if expr is None:
        return ()
    if place.calls:
        return tuple(_Reader(graph).read(expr, place, ()))
    known = _known(graph)
    key = (id(expr), id(place.scope))
    if key not in known:
        graph.program.keep(expr)
        known[key] = tuple(_Reader(graph).read(expr, place, ()))
    return known[key]


def operations_with(graph: AppGraph, scope: Scope, origin: Origin) -> tuple[PathOperation, ...]:
    """Operations that reach a body with rows of this origin; none where no request is seen to."""
    if not isinstance(scope, Function):
        return ()
    entries = graph.entries(scope)
    source = origin.place.scope
    if source is scope or not isinstance(source, Function):
        return entries
    there = {id(operation) for operation in graph.entries(source)}
    return tuple(operation for operation in entries if id(operation) in there)


@question
def _known(graph: AppGraph) -> dict[tuple[int, int], tuple[Origin, ...]]:
    del graph
    return {}


@question
def _concepts(graph: AppGraph) -> dict[int, Concept]:
    """What fetches rows, by the identity of the call; taking rows from a result comes before sending the statement."""
    kinds: tuple[type[Concept], ...] = (SqlExecution, SessionGet, RowFetch)
    return {id(each.node): each for kind in kinds for each in graph.facts(kind)}


class _Reader:
    """Follows one expression."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._seen: set[tuple[int, tuple[int, ...], tuple[int, ...]]] = set()

    def read(self, expr: Any, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        key = (id(expr), tuple(id(site.node) for site in place.calls), path)
        if key in self._seen:
            return
        self._seen.add(key)
        if len(self._seen) > _MAX_STEPS:
            yield Origin("unknown", None, place)
            return
        work = _READ.get(expr.__class__)
        if work is not None:
            yield from work(self, expr, place, path)
        elif expr.__class__ is not ir.Constant:
            yield Origin("unknown", None, place)

    def inner(self, expr: Any, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        yield from self.read(expr.value, place, path)

    def either(self, expr: ir.IfExp, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        yield from self.read(expr.body, place, path)
        yield from self.read(expr.orelse, place, path)

    def any_of(self, expr: ir.BoolOp, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        for value in expr.values:
            yield from self.read(value, place, path)

    def sequence(self, expr: ir.Sequence, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        if path and 0 <= path[0] < len(expr.elts):
            yield from self.read(expr.elts[path[0]], place, path[1:])
            return
        for element in expr.elts[:8]:
            yield from self.read(element, place, ())

    def dict(self, expr: ir.Dict, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        del path
        for value in expr.values[:8]:
            yield from self.read(value, place, ())

    def comprehension(self, expr: ir.Comprehension, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        yield from self.read(expr.value if expr.value is not None else expr.elt, place, path)

    # ── names and attributes ────────────────────────────────────────────────────────────────────────────────

    def name(self, expr: ir.Name, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        values, complete = followed(self._graph, expr.id, place)
        for each in values:
            yield from self._followed(each, path)
        injected = list(self._injected(expr.id, place, path))
        yield from injected
        if not complete and not injected:
            yield Origin("unknown", None, place)
        yield from self._grown(expr.id, place)

    def _followed(self, each: Followed, path: tuple[int, ...]) -> Iterator[Origin]:
        yield from self.read(each.expr, each.place, (*each.path, *path))

    def _injected(self, name: str, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        """What a dependency gives."""
        scope = place.scope
        if not isinstance(scope, Function) or place.calls:
            return
        for param in scope.parameters:
            if param.name == name:
                for provider in provider_of(self._graph, param, scope):
                    for site in returned(self._graph, provider):
                        yield from self.read(site.node.value, Place(provider), path)

    def _grown(self, name: str, place: Place) -> Iterator[Origin]:
        """`found.append(row)`."""
        for site in place.scope.facts.calls_named("append", "add", "extend"):
            func = site.node.func
            if isinstance(func, ir.Attribute) and isinstance(func.value, ir.Name) and func.value.id == name:
                for given in site.node.args[:1]:
                    yield from self.read(given, place, ())

    def attribute(self, expr: ir.Attribute, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        base = expr.value
        if isinstance(base, ir.Attribute) and base.attr == "awaitable_attrs":
            base = base.value
        model = model_of(self._graph, base, place.scope)
        relationship = model.relationship_by_name.get(expr.attr) if model is not None else None
        if relationship is not None:
            for above in self.read(base, place, ()):
                yield replace(
                    above,
                    kind="relationship" if above.kind != "unknown" else "unknown",
                    single=not relationship.uselist,
                    may_be_none=False,
                    relationship=relationship,
                    at_hand=above.at_hand or above.kind == "made" or _leads_back(relationship, above),
                )
            return
        values = attribute_values(self._graph, expr, place)
        for each in values:
            yield from self._followed(each, path)
        if not values:
            yield Origin("unknown", None, place)

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────

    def call(self, expr: ir.Call, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        concept = _concepts(self._graph).get(id(expr))
        if concept is not None:
            yield from self._fetched(concept, place, path)
            return
        name = last_name(expr.func)
        if isinstance(expr.func, ir.Name) and name in (*_SAME, "zip", "filter", "map"):
            yield from self._of_arguments(expr, name, place, path)
            return
        if self._is_model(expr.func, place.scope):
            yield Origin("made", Site(expr, *_NOWHERE, place.scope), place)
            return
        functions = called_functions(self._graph, expr, place)
        for function, inside in functions:
            sites = returned(self._graph, function)
            for site in sites:
                yield from self.read(site.node.value, inside, path)
            if not sites:
                yield Origin("unknown", None, place)
        if not functions and isinstance(expr.func, ir.Attribute) and name in _OF_RECEIVER:
            yield from self.read(expr.func.value, place, ())
        elif not functions:
            yield Origin("unknown", None, place)

    def _of_arguments(
        self, expr: ir.Call, name: str, place: Place, path: tuple[int, ...]
    ) -> Iterator[Origin]:
        given: list[ir.Expr] = expr.args[:1]
        if name == "zip":
            given = [expr.args[path[0]]] if path and 0 <= path[0] < len(expr.args) else expr.args
        elif name == "filter":
            given = expr.args[1:2]
        elif name == "map":
            given = []
        if not given:
            yield Origin("unknown", None, place)
        for each in given:
            yield from self.read(each, place, path[1:] if name in ("zip", "enumerate") else path)

    def _is_model(self, func: ir.Expr, scope: Scope) -> bool:
        model_of_class = self._graph.database.model_of
        return any(
            isinstance(option, ClassRef) and id(option.cls) in model_of_class
            for option in options(self._graph.program.inference.type_of(func, scope))
        )

    def _fetched(self, concept: Concept, place: Place, path: tuple[int, ...]) -> Iterator[Origin]:
        if isinstance(concept, SessionGet):
            loaded = loaded_by_options(self._graph, concept.options, place)
            yield Origin(
                "get",
                concept.site,
                place,
                concept.is_async,
                loaded,
                single=True,
                may_be_none=not concept.required,
            )
        elif isinstance(concept, SqlExecution) and concept.driver not in ("", "sqlalchemy"):
            yield Origin("unknown", None, place)  # a driver's rows have columns only
        elif isinstance(concept, SqlExecution):
            loaded = loaded_by(self._graph, concept.statement, place)
            scalar = last_name(concept.node.func) == "scalar"
            yield Origin(
                "query", concept.site, place, concept.is_async, loaded, single=scalar, may_be_none=scalar
            )
        elif isinstance(concept, RowFetch) and concept.kind not in _NUMBERS:
            if concept.executes:
                loaded = loaded_by(self._graph, concept.result, place)
                single = concept.kind in _SINGLE
                yield Origin(
                    "query", concept.site, place, concept.is_async, loaded, single, concept.may_be_none
                )
                return
            for each in self.read(concept.result, place, path) if concept.result is not None else ():
                single = each.single or concept.kind in _SINGLE
                yield replace(each, single=single, may_be_none=each.may_be_none or concept.may_be_none)


def _leads_back(relationship: Relationship, above: Origin) -> bool:
    """`order.customer` of an order out of `customer.orders`."""
    taken = above.relationship
    return taken is not None and (
        relationship.attribute == taken.back_populates or relationship.back_populates == taken.attribute
    )


_NOWHERE: tuple[Any, Any] = (None, None)

_READ: dict[type, Any] = {
    ir.Name: _Reader.name,
    ir.Attribute: _Reader.attribute,
    ir.Call: _Reader.call,
    ir.Await: _Reader.inner,
    ir.Starred: _Reader.inner,
    ir.NamedExpr: _Reader.inner,
    ir.Subscript: _Reader.inner,
    ir.IfExp: _Reader.either,
    ir.BoolOp: _Reader.any_of,
    ir.Sequence: _Reader.sequence,
    ir.Dict: _Reader.dict,
    ir.Comprehension: _Reader.comprehension,
}
