"""Which texts of rows are compiled as templates, outside of a sandbox?

Followed back from the template, or from the loader of an environment, through names of the same body, what callers pass and
what functions of the program return.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.template import TemplateEnvironment, TemplateSource
from fastapi_architect.dataflow.derived_values import computed_from
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.types import FunctionRef, Instance, options
from fastapi_architect.syntax import ir

_MAX_DEPTH = 6
_MAX_CALLERS = 12
_TEXTS = frozenset({"builtins.str", "builtins.None"})
#: Methods that give a text made of their receiver.
_TEXT_METHODS = frozenset({"replace", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "decode"})
#: Loaders that ask others in turn.
_OF_LOADERS = frozenset({"ChoiceLoader", "PrefixLoader"})


class StoredTemplate(msgspec.Struct, frozen=True, eq=False):
    """A column's text that becomes a template.

    Attributes:
        fact: where it is compiled: the template's own text, or the environment that loads it.
        model: whose row holds it.
        column: the attribute.
        scope, node: where it is read from the row.
        is_input: a body that requests send is of this model by its name, and has a text field of the column's name.
    """

    fact: TemplateSource | TemplateEnvironment
    model: Model
    column: str
    scope: Scope
    node: ir.Expr
    is_input: bool


class _Column(msgspec.Struct, frozen=True, eq=False):
    model: Model
    node: ir.Attribute
    scope: Scope


@question
def stored_templates(graph: AppGraph) -> tuple[StoredTemplate, ...]:
    """One for each template or environment, in order of places; columns that requests write first."""
    found = []
    for fact, text in _compiled(graph):
        if fact.scope.module.kind == "source" and not is_sandboxed(fact, graph):
            columns = {id(column.node): column for column in text}
            written = sorted(columns.values(), key=lambda column: not _is_input(column, graph))
            for column in written[:1]:
                is_input = _is_input(column, graph)
                name = column.node.attr
                found.append(StoredTemplate(fact, column.model, name, column.scope, column.node, is_input))
    return tuple(found)


def is_sandboxed(fact: TemplateSource | TemplateEnvironment, graph: AppGraph) -> bool:
    """The environment is a sandbox, by its type or by what it is called."""
    if isinstance(fact, TemplateEnvironment):
        return "Sandbox" in fact.name or "Sandbox" in last_name(fact.node.func)
    func = fact.node.func
    if not isinstance(func, ir.Attribute):
        return False
    of = options(graph.program.inference.type_of(func.value, fact.scope))
    typed = any(isinstance(o, Instance) and "Sandbox" in o.name for o in of)
    return typed or "sandbox" in last_name(func.value).lower()


def _compiled(
    graph: AppGraph,
) -> Iterator[tuple[TemplateSource | TemplateEnvironment, Iterator[_Column]]]:
    for source in graph.facts(TemplateSource):
        if source.engine != "mustache":
            yield source, _columns(source.source, source.scope, graph, 0)
    for environment in graph.facts(TemplateEnvironment):
        if environment.directory is not None:
            yield environment, _loaded(environment.directory, environment.scope, graph, 0)


def _is_input(column: _Column, graph: AppGraph) -> bool:
    owner = column.model.cls.name.lower()
    return any(owner in model and column.node.attr == field for model, field in _written(graph))


@question
def _written(graph: AppGraph) -> frozenset[tuple[str, str]]:
    """Lower-case names of models that requests send, with their text fields."""
    types = {parameter.type for o in graph.operations for parameter in o.parameters if parameter.is_input}
    classes = [o.cls for of in types for o in options(of) if isinstance(o, Instance)]
    schemas = [schema_of(cls, graph) for cls in classes if isinstance(cls, Class)]
    return frozenset(
        (schema.cls.name.lower(), field.name)
        for schema in schemas
        if schema is not None
        for field in schema.fields
        if _is_text(field.type)
    )


# ── where a text comes from ──────────────────────────────────────────────────────────────────────────────────


def _columns(expr: Any, scope: Scope, graph: AppGraph, depth: int) -> Iterator[_Column]:
    kind = expr.__class__
    if depth > _MAX_DEPTH:
        return
    if kind is ir.Name:
        yield from _of_name(expr.id, scope, graph, depth)
    elif kind is ir.Attribute:
        model = _model_with_text(expr, scope, graph)
        if model is not None:
            yield _Column(model, expr, scope)
    elif kind is ir.Call:
        yield from _of_call(expr, scope, graph, depth)
    else:
        for part in _parts(expr):
            yield from _columns(part, scope, graph, depth + 1)


def _of_name(name: str, scope: Scope, graph: AppGraph, depth: int) -> Iterator[_Column]:
    binding = computed_from(name, scope)
    if binding is not None:
        yield from _columns(binding.value, scope, graph, depth + 1)
    elif isinstance(scope, Function) and scope.parameter(name) is not None:
        names = [parameter.name for parameter in scope.parameters[scope.is_method :]]
        position = names.index(name) if name in names else None
        for site in graph.program.calls.callers(scope)[:_MAX_CALLERS]:
            yield from _columns(argument(site.node, position, name), site.scope, graph, depth + 2)


def _of_call(expr: ir.Call, scope: Scope, graph: AppGraph, depth: int) -> Iterator[_Column]:
    func = expr.func
    if isinstance(func, ir.Attribute) and func.attr in _TEXT_METHODS:
        yield from _columns(func.value, scope, graph, depth + 1)
    elif last_name(func) in ("str", "dedent", "unescape") and expr.args:
        yield from _columns(expr.args[0], scope, graph, depth + 1)
    else:
        yield from _returned_by(func, scope, graph, depth)


def _parts(expr: Any) -> list[Any]:
    """What an expression is one of, or put together from."""
    kind = expr.__class__
    if kind is ir.JoinedStr:
        return [part.value for part in expr.values if part.__class__ is ir.FormattedValue]
    if kind is ir.BinOp and expr.op == "+":
        return [expr.left, expr.right]
    if kind is ir.Chain and expr.op == "+":
        return list(expr.operands)
    if kind is ir.BoolOp:
        return list(expr.values)
    if kind is ir.IfExp:
        return [expr.body, expr.orelse]
    return [expr.value] if kind is ir.Await else []


def _returned_by(
    func: Any, scope: Scope, graph: AppGraph, depth: int, first: bool = False
) -> Iterator[_Column]:
    """Columns that a function of the program gives; with `first`, in front of what else it gives."""
    if func.__class__ is ir.Lambda:
        yield from _columns(func.body, scope, graph, depth + 1)
    for of in options(graph.program.inference.type_of(func, scope)):
        function = of.function if isinstance(of, FunctionRef) else None
        if isinstance(of, Instance) and isinstance(of.cls, Class):
            function = of.cls.methods.get("__call__")
        if function is not None:
            yield from _returns(function, graph, depth, first=first)


def _returns(function: Function, graph: AppGraph, depth: int, *, first: bool) -> Iterator[_Column]:
    for site in function.facts.sites(ir.Return):
        value = site.node.value
        if first and value.__class__ is ir.Sequence and value.elts:
            value = value.elts[0]
        if value is not None:
            yield from _columns(value, function, graph, depth + 1)


# ── loaders ──────────────────────────────────────────────────────────────────────────────────────────────────


def _loaded(loader: Any, scope: Scope, graph: AppGraph, depth: int) -> Iterator[_Column]:
    """Columns that a loader gives as templates."""
    if depth > _MAX_DEPTH:
        return
    if loader.__class__ is ir.Name:
        binding = computed_from(loader.id, scope)
        if binding is not None:
            yield from _loaded(binding.value, scope, graph, depth + 1)
        return
    for of in options(graph.program.inference.type_of(loader, scope)):
        method = (
            of.cls.methods.get("get_source")
            if isinstance(of, Instance) and isinstance(of.cls, Class)
            else None
        )
        if method is not None:
            yield from _returns(method, graph, depth, first=True)
    if loader.__class__ is not ir.Call or not loader.args:
        return
    name, given = last_name(loader.func), loader.args[0]
    if name == "FunctionLoader":
        yield from _returned_by(given, scope, graph, depth, first=True)
    elif name == "DictLoader":
        yield from _values(given, scope, graph, depth)
    elif name in _OF_LOADERS:
        for each in given.elts if given.__class__ is ir.Sequence else getattr(given, "values", ()):
            yield from _loaded(each, scope, graph, depth + 1)


def _values(mapping: Any, scope: Scope, graph: AppGraph, depth: int) -> Iterator[_Column]:
    """Columns among the values of a mapping that is written down."""
    if mapping.__class__ is ir.Name:
        binding = computed_from(mapping.id, scope)
        mapping = binding.value if binding is not None else None
    if mapping.__class__ is ir.Dict:
        for value in mapping.values:
            yield from _columns(value, scope, graph, depth + 1)
    elif mapping.__class__ is ir.Comprehension and mapping.value is not None:
        yield from _columns(mapping.value, scope, graph, depth + 1)


# ── what a column is ─────────────────────────────────────────────────────────────────────────────────────────


def _model_with_text(expr: ir.Attribute, scope: Scope, graph: AppGraph) -> Model | None:
    inference = graph.program.inference
    for of in options(inference.type_of(expr.value, scope)):
        model = graph.database.model_of.get(id(of.cls)) if isinstance(of, Instance) else None
        if model is not None and _is_text(inference.type_of(expr, scope)):
            return model
    return None


def _is_text(of: Any) -> bool:
    names = [o.name for o in options(of) if isinstance(o, Instance)]
    return "builtins.str" in names and _TEXTS.issuperset(names)
