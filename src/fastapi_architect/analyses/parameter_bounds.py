"""Which limits does an operation declare for the numbers that it takes?"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.appgraph import constraints
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.program.definitions import Class, Function
from fastapi_architect.program.types import Instance, Type, options
from fastapi_architect.syntax import ir

_UPPER = ("le", "lt")


def is_integer(of: Type | None) -> bool:
    """A whole number, whatever else it may be."""
    return any(getattr(each, "name", "") == "builtins.int" for each in options(of))


def bounds(parameter: Parameter, graph: AppGraph) -> dict[str, object]:
    """What a parameter's marker and annotation demand: `le`, `ge`, ..."""
    known: dict[str, object] = {}
    if parameter.marker is not None:
        known |= constraints.of_keywords(graph.program, parameter.marker, parameter.scope)
    owner = parameter.owner
    if isinstance(owner, Function):
        declared = owner.parameter(parameter.name)
        if declared is not None:
            known |= constraints.of_annotation(
                graph.program, declared.annotation, owner.parent or owner.module
            )
            if isinstance(declared.default, ir.Call):
                known |= constraints.of_keywords(graph.program, declared.default, owner)
    return known


def unbounded_integers(operation: PathOperation, graph: AppGraph) -> Iterator[str]:
    """Whole numbers of the handler that a client may make as large as it likes: `size`, `order.copies`."""
    for parameter in operation.parameters:
        if not parameter.is_input:
            continue
        if parameter.model is None and is_integer(parameter.type):
            if bounds(parameter, graph).keys().isdisjoint(_UPPER):
                yield parameter.name
            continue
        for each in options(parameter.type):
            cls = each.cls if isinstance(each, Instance) else None
            schema = schema_of(cls, graph) if isinstance(cls, Class) else None
            for field in schema.fields if schema is not None else ():
                validated = schema is not None and schema.validators_of(field.name)
                if is_integer(field.type) and not validated and field.constraints.keys().isdisjoint(_UPPER):
                    yield f"{parameter.name}.{field.name}"
