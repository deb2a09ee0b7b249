"""Which fields of a schema does reading a row lazily fill, each with a query of its own?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model, Relationship
from fastapi_architect.appgraph.schemas import Schema, SchemaField
from fastapi_architect.program.definitions import Class
from fastapi_architect.program.types import Instance, Type, options

_LISTS = ("list", "List", "Sequence", "Iterable", "tuple", "set", "ScalarResult")
_MAX_DEPTH = 3


class LazyField(msgspec.Struct, frozen=True, eq=False):
    """A field that is a lazy relationship.

    Attributes:
        path: names of the fields from the answer inwards: ("author", "country").
        field: the last of them.
        relationship: what it reads.
    """

    path: tuple[str, ...]
    field: SchemaField
    relationship: Relationship


def element_type(of: Type | None) -> Type | None:
    """What a list type holds; None for anything that is no list."""
    for option in options(of):
        if not isinstance(option, Instance) or not isinstance(option.cls, str) or not option.args:
            continue
        if option.cls.rpartition(".")[2] in _LISTS:
            return option.args[0]
    return None


def schema_in(of: Type | None, graph: AppGraph) -> Schema | None:
    """The schema that a type means, None when it means none."""
    for option in options(of):
        if isinstance(option, Instance) and isinstance(option.cls, Class):
            return schema_of(option.cls, graph)
    return None


def model_in(of: Type | None, graph: AppGraph) -> Model | None:
    """The model that a type means, None when it means none."""
    for option in options(of):
        if isinstance(option, Instance) and id(option.cls) in graph.database.model_of:
            return graph.database.model_of[id(option.cls)]
    return None


def lazy_fields(
    schema: Schema, model: Model, graph: AppGraph, above: tuple[str, ...] = ()
) -> Iterator[LazyField]:
    """Fields of the schema that read a lazy relationship of the model, and those of the schemas below them."""
    for field in schema.fields:
        relationship = model.relationship_by_name.get(field.name)
        if field.excluded or relationship is None or field.is_computed:
            continue
        path = (*above, field.name)
        if relationship.loads_when_read:
            yield LazyField(path, field, relationship)
        target = graph.database.model_of.get(id(relationship.target))
        if target is not None and len(path) < _MAX_DEPTH:
            below = schema_in(element_type(field.type) or field.type, graph)
            if below is not None:
                yield from lazy_fields(below, target, graph, path)
