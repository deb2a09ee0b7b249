"""Where is a relationship read that is loaded at that moment, by a query of its own?

An attribute of a row (`order.items`, `order.customer.address`), and a schema that is filled from a row
(`OrderOut.model_validate(order)`) whose fields are relationships.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.lazy_fields import lazy_fields
from fastapi_architect.analyses.row_origins import model_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model, Relationship
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Class, Function, all_functions, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Class methods of schemas that read the attributes of what they are given.
_FROM_ROWS = ("model_validate", "from_orm")


class LazyRead(msgspec.Struct, frozen=True, eq=False):
    """A relationship that may be loaded here.

    Attributes:
        site: where it is read.
        function: the body.
        row: the expression whose relationship it is.
        model: what `row` is.
        path: the relationships from the row to it; one name but for schemas inside schemas.
        relationship: the one that is loaded.
        awaited: through `awaitable_attrs`, which loads it without failing under asyncio.
        by_schema: name of the schema that reads it, "" where it is written out.
    """

    site: Site
    function: Function
    row: ir.Expr
    model: Model
    path: tuple[str, ...]
    relationship: Relationship
    awaited: bool = False
    by_schema: str = ""


@question
def lazy_reads(graph: AppGraph) -> tuple[LazyRead, ...]:
    """Every such place in source code, in order of files."""
    return tuple(_find(graph))


def lazy_names(graph: AppGraph) -> frozenset[str]:
    """Names of relationships that are loaded when they are read."""
    return frozenset(r.attribute for model in graph.models for r in model.relationships if r.loads_when_read)


def _find(graph: AppGraph) -> Iterator[LazyRead]:
    names = lazy_names(graph)
    if not names:
        return
    for module in graph.program.modules.values():
        if module.kind != "source" or names.isdisjoint(module.parsed.identifiers):
            continue
        for function in all_functions(module):
            read = [site for site in function.facts.sites(ir.Attribute) if site.node.attr in names]
            if read:
                # `mapping.items()` is a method, and no relationship.
                methods = {id(call.node.func) for call in function.facts.calls_named(*names)}
                for site in read:
                    if id(site.node) not in methods:
                        yield from _of_attribute(graph, site, function)
    for name in _FROM_ROWS:
        for site in graph.program.call_sites_named(name):
            if isinstance(site.scope, Function) and site.scope.module.kind == "source":
                yield from _of_schema(graph, site, site.scope)


def _of_attribute(graph: AppGraph, site: Site, function: Function) -> Iterator[LazyRead]:
    row, awaited = site.node.value, False
    if isinstance(row, ir.Attribute) and row.attr == "awaitable_attrs":
        row, awaited = row.value, True
    if _is_written(site):
        return
    model = model_of(graph, row, function)
    relationship = model.relationship_by_name.get(site.node.attr) if model is not None else None
    if relationship is None or not relationship.loads_when_read or _is_asked_for(site):
        return
    if model is not None:
        yield LazyRead(site, function, row, model, (site.node.attr,), relationship, awaited)


def _is_written(site: Site) -> bool:
    """It stands on the left of an assignment, or after `del`."""
    targets = getattr(site.statement, "targets", ())
    return (
        any(target is site.node for target in targets) or getattr(site.statement, "target", None) is site.node
    )


def _is_asked_for(site: Site) -> bool:
    """`if order.is_loaded("items"):`: it is read where it is there."""
    for context in site.context:
        test = getattr(context.node, "test", None)
        if context.role in ("if", "else") and test is not None:
            for node in walk(test):
                if isinstance(node, ir.Attribute | ir.Name) and "loaded" in last_name(node):
                    return True
                if isinstance(node, ir.Attribute) and node.attr == "__dict__":
                    return True
    return False


def _of_schema(graph: AppGraph, site: Site, function: Function) -> Iterator[LazyRead]:
    func, given = site.node.func, site.node.args[:1]
    if not isinstance(func, ir.Attribute) or not given:
        return
    model = model_of(graph, given[0], function)
    if model is None or graph.program.calls.targets(site):
        return  # a method of the class's own reads what it reads
    for of in options(graph.program.inference.type_of(func.value, function)):
        if not isinstance(of, ClassRef) or not isinstance(of.cls, Class):
            continue
        schema = schema_of(of.cls, graph)
        if schema is None or schema.kind.startswith("sqlmodel-table"):
            continue
        for found in lazy_fields(schema, model, graph):
            yield LazyRead(
                site, function, given[0], model, found.path, found.relationship, by_schema=of.cls.name
            )
