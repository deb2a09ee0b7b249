"""Which texts of rows are written into pages of HTML, without being escaped?

Read from the statement that makes the page: the content of an HTML response, followed through names of the same body and into
the functions of the program that return it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.dataflow.derived_values import computed_from
from fastapi_architect.program.definitions import Function, Scope
from fastapi_architect.program.types import FunctionRef, Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

_MAX_DEPTH = 4
#: Columns whose values the program makes, or that take no markup.
_MADE = lazy_pattern(
    r"(^|_)(u?u?id|email|status|role|type|kind|state|slug|token|hash|key|language|currency)$"
)
_TEXTS = frozenset({"builtins.str", "builtins.None"})


class StoredText(msgspec.Struct, frozen=True, eq=False):
    """A column's text in a page.

    Attributes:
        response: the response whose content it becomes part of.
        model: whose row it is.
        column: the attribute.
        scope, node: where it is written into the page.
        is_input: a body that requests send has a field of this name: people write it.
    """

    response: ResponseCreation
    model: Model
    column: str
    scope: Scope
    node: ir.Expr
    is_input: bool


@question
def stored_in_pages(graph: AppGraph) -> tuple[StoredText, ...]:
    """Columns in pages, one for each response, in order of places."""
    written = {field.name for schema in graph.schemas for field in schema.fields if _is_text(field.type)}
    found = []
    for response in graph.facts(ResponseCreation):
        if (
            response.kind == "html"
            and response.content is not None
            and response.scope.module.kind == "source"
        ):
            columns = list(_columns(response.content, response.scope, graph, 0))
            if columns:
                model, node, scope = next((c for c in columns if c[1].attr in written), columns[0])
                found.append(StoredText(response, model, node.attr, scope, node, node.attr in written))
    return tuple(found)


def _columns(expr: Any, scope: Scope, graph: AppGraph, depth: int) -> Iterator[tuple[Model, Any, Scope]]:
    if depth > _MAX_DEPTH:
        return
    kind = expr.__class__
    if kind is ir.Name:
        binding = computed_from(expr.id, scope)
        if binding is not None:
            yield from _columns(binding.value, scope, graph, depth + 1)
    elif kind is ir.Attribute:
        model = _model_with_text(expr, scope, graph)
        if model is not None:
            yield model, expr, scope
    elif kind is ir.Call:
        for of in options(graph.program.inference.type_of(expr.func, scope)):
            if isinstance(of, FunctionRef):
                yield from _returned(of.function, graph, depth)
    else:
        for part in _parts(expr):
            yield from _columns(part, scope, graph, depth + 1)


def _parts(expr: Any) -> list[Any]:
    """What a text is put together from."""
    if expr.__class__ is ir.JoinedStr:
        return [part.value for part in expr.values if part.__class__ is ir.FormattedValue]
    if expr.__class__ is ir.BinOp and expr.op in ("+", "%"):
        return [expr.left, expr.right]
    if expr.__class__ is ir.Chain and expr.op == "+":
        return list(expr.operands)
    if expr.__class__ is ir.Await:
        return [expr.value]
    return list(expr.elts) if expr.__class__ is ir.Sequence else []


def _returned(function: Function, graph: AppGraph, depth: int) -> Iterator[tuple[Model, Any, Scope]]:
    for site in function.facts.sites(ir.Return):
        if site.node.value is not None:
            yield from _columns(site.node.value, function, graph, depth + 1)


def _model_with_text(expr: ir.Attribute, scope: Scope, graph: AppGraph) -> Model | None:
    inference = graph.program.inference
    for of in options(inference.type_of(expr.value, scope)):
        model = graph.database.model_of.get(id(of.cls)) if isinstance(of, Instance) else None
        if model is not None and _is_text(inference.type_of(expr, scope)) and not _MADE.search(expr.attr):
            return model
    return None


def _is_text(of: Any) -> bool:
    names = [o.name for o in options(of) if isinstance(o, Instance)]
    return "builtins.str" in names and _TEXTS.issuperset(names)
