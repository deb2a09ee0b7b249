"""Which rows does the application change, and where? Which does a function read?"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.database import (
    BulkWrite,
    Commit,
    QueryStart,
    SessionAdd,
    SessionDelete,
    SessionFlush,
    SessionGet,
)
from fastapi_architect.program.definitions import Function, Scope
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: Columns that say when or how often: a copy without them is as good.
_BESIDE = lazy_pattern(r"^last_|_at$|_on$|count|views|seen|time$", re.IGNORECASE)


class RowWrite(msgspec.Struct, frozen=True, eq=False):
    """Rows of a model change here; `kind` is insert, update or delete."""

    model: Model
    kind: str
    site: Site
    function: Function


def models_of(expr: ir.Expr | None, scope: Scope, graph: AppGraph, *, cls: bool = False) -> list[Model]:
    """Models that an expression is an instance of (or list of instances); with `cls`, that it names."""
    found: list[Model] = []
    of = graph.program.inference.type_of(expr, scope)
    if of is None:  # as of most expressions
        return found
    wanted = ClassRef if cls else Instance
    model_of = graph.database.model_of
    for option in options(of):
        elements = (o for a in option.args for o in options(a)) if isinstance(option, Instance) else ()
        for each in (option, *elements):
            model = model_of.get(id(each.cls)) if isinstance(each, wanted) else None
            if model is not None:
                found.append(model)
    return found


def models_read_by(function: Function, graph: AppGraph) -> Iterator[Model]:
    """Models that the function itself asks for."""
    for get in graph.within(SessionGet, function):
        yield from models_of(get.model, function, graph, cls=True)
    for start in graph.within(QueryStart, function):
        for entity in start.entities if start.kind in ("select", "query") else ():
            of = entity.value if isinstance(entity, ir.Attribute) else entity  # `select(Book.title)`
            yield from models_of(of, function, graph, cls=True)


@question
def row_writes(graph: AppGraph) -> tuple[RowWrite, ...]:
    """Every change of rows in the project, in order of kinds; kept by graph."""
    return tuple(_find(graph))


@question
def models_changed_in(graph: AppGraph) -> dict[int, set[int]]:
    """Function (by identity) to the models (by identity) of which it changes rows itself."""
    found: dict[int, set[int]] = {}
    for write in row_writes(graph):
        found.setdefault(id(write.function), set()).add(id(write.model))
    return found


def _find(graph: AppGraph) -> Iterator[RowWrite]:
    for delete in graph.facts(SessionDelete):
        if delete.function is not None:
            for model in models_of(delete.instance, delete.function, graph):
                yield RowWrite(model, "delete", delete.site, delete.function)
    for start in graph.facts(QueryStart):
        if start.kind in ("insert", "update", "delete") and start.function is not None:
            for entity in start.entities:
                for model in models_of(entity, start.function, graph, cls=True):
                    yield RowWrite(model, start.kind, start.site, start.function)
    for bulk in graph.facts(BulkWrite):
        if bulk.function is not None and bulk.kind != "save":
            expr = bulk.session if bulk.kind.startswith("query_") else bulk.model
            for model in (
                *models_of(expr, bulk.function, graph),
                *models_of(expr, bulk.function, graph, cls=True),
            ):
                yield RowWrite(model, bulk.kind.removeprefix("query_"), bulk.site, bulk.function)
    for add in graph.facts(SessionAdd):
        if add.function is not None:
            for model in models_of(add.instance, add.function, graph):
                yield RowWrite(model, "update" if add.kind == "merge" else "insert", add.site, add.function)
    yield from _assignments(graph)


def _assignments(graph: AppGraph) -> Iterator[RowWrite]:
    """`book.title = title` and `setattr(book, name, value)` in a function that sends changes."""
    kinds = (Commit, SessionFlush, SessionAdd)
    for function in dict.fromkeys(each.site.scope for kind in kinds for each in graph.facts(kind)):
        if isinstance(function, Function):
            yield from assignments_in(graph, function)


def assignments_in(graph: AppGraph, function: Function) -> Iterator[RowWrite]:
    """`book.title = title` and `setattr(book, name, value)` in a function, whoever sends the change."""
    named: dict[str, list[Model]] = {}  # a function sets several attributes of one object
    for site in function.facts.sites(ir.Assign):
        for target in site.node.targets:
            if not isinstance(target, ir.Attribute):
                continue
            name = target.value.id if isinstance(target.value, ir.Name) else ""
            models = named.get(name) if name else None
            if models is None:
                models = _changed_models(target.value, function, graph)
                if name:
                    named[name] = models
            if models and not _BESIDE.search(target.attr):
                for model in models:
                    yield RowWrite(model, "update", site, function)
    for site in function.facts.calls_named("setattr", "sqlmodel_update"):
        method = isinstance(site.node.func, ir.Attribute)
        owner = site.node.func.value if method else site.node.args[0] if site.node.args else None
        if owner is not None:
            yield from _assigned(owner, site, function, graph)


def _assigned(owner: ir.Expr, site: Site, function: Function, graph: AppGraph) -> Iterator[RowWrite]:
    for model in _changed_models(owner, function, graph):
        yield RowWrite(model, "update", site, function)


def _changed_models(owner: ir.Expr, function: Function, graph: AppGraph) -> list[Model]:
    """Models whose rows an object may be; none when it is made here, and so new."""
    models = models_of(owner, function, graph)
    if models:
        made, _ = graph.program.inference.expand(owner, function)
        if isinstance(made, ir.Call) and models_of(made.func, function, graph, cls=True):
            return []
    return models
