"""Which tests of a handler has a validator of the model answered before? They can never hold there.

`if not EMAIL.match(data.email): raise HTTPException(400)`, where a validator of `data.email` raises under the same test: the request
has been refused with 422 by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.definitions import Class, Function
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Stands for the value that is tested.
_VALUE = "<value>"


def is_refused_by_validator(raised: Site, graph: AppGraph) -> bool:
    """The test that a raise stands under is one that a validator of the same field raises for.

    Args:
        raised: the raise, or the call that makes its exception.
        graph: the backend.
    """
    function = raised.scope
    if not isinstance(function, Function):
        return False
    return any(
        _text(context.node.test, written, function, graph) in set(_refused(cls, field, graph))
        for context in raised.context
        if context.role == "if" and isinstance(context.node, ir.If | ir.Branch)
        for written, cls, field in _fields(context.node.test, function, graph)
    )


def _fields(test: ir.Expr, function: Function, graph: AppGraph) -> Iterator[tuple[str, Class, str]]:
    """What a test names that is a field of a model: as written, the model, and the field."""
    for node in walk(test):
        read: ir.Expr | None = node
        if isinstance(node, ir.Name):
            bindings = function.facts.bindings.get(node.id, ())
            read = bindings[0].value if len(bindings) == 1 and not bindings[0].path else None
        if not isinstance(read, ir.Attribute) or not isinstance(read.value, ir.Name):
            continue
        if function.parameter(read.value.id) is None or len(function.facts.bindings[read.value.id]) > 1:
            continue
        written = node.id if isinstance(node, ir.Name) else f"{read.value.id}.{read.attr}"
        for of in options(graph.program.inference.type_of(read.value, function)):
            if isinstance(of, Instance) and isinstance(of.cls, Class):
                yield written, of.cls, read.attr


def _refused(cls: Class, field: str, graph: AppGraph) -> Iterator[str]:
    """Tests under which validators of a field raise, as texts."""
    schema = schema_of(cls, graph)
    for validator in schema.validators_of(field) if schema is not None else ():
        function = validator.function
        if function is None or validator.kind != "field":
            continue
        values = [p.name for p in function.parameters if p.name not in ("cls", "self")]
        for site in function.facts.sites(ir.Raise) if values else ():
            around = [
                c.node for c in site.context if c.role in ("if", "else", "except", "for", "while", "try")
            ]
            if len(around) == 1 and isinstance(around[0], ir.If):
                yield _text(around[0].test, values[0], function, graph)


def _text(test: ir.Expr, value: str, function: Function, graph: AppGraph) -> str:
    text = text_at(graph, function.location(test))
    return "".join(re.sub(rf"(?<![\w.]){re.escape(value)}(?!\w)", _VALUE, text).split())
