"""Which schemas a client fills in, and which it is shown: nested ones too, each with the operations that use
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.schemas import Schema
from fastapi_architect.program.definitions import Class
from fastapi_architect.program.types import Instance, Type, options

_MAX_DEPTH = 12
_INPUTS = frozenset({"body", "form", "query", "header", "cookie"})


class SchemaUse(msgspec.Struct, frozen=True, eq=False):
    """A schema and the operations that read or give it."""

    schema: Schema
    operations: tuple[PathOperation, ...]


class SchemaUses(msgspec.Struct, frozen=True, eq=False):
    """Schemas by the identity of their class.

    Attributes:
        read: built from what a client sends.
        given: sent to a client.
    """

    read: dict[int, SchemaUse]
    given: dict[int, SchemaUse]


@question
def schema_uses(graph: AppGraph) -> SchemaUses:
    """The schemas of requests and responses; kept by graph."""
    schemas = {id(schema.cls): schema for schema in graph.schemas}
    read: dict[int, list[PathOperation]] = {}
    given: dict[int, list[PathOperation]] = {}
    shown: dict[Type | None, tuple[Class, ...]] = {}
    for operation in graph.operations:
        for cls in _classes(_read_types(operation), schemas):
            read.setdefault(id(cls), []).append(operation)
        of = operation.response_type
        if of not in shown:
            shown[of] = tuple(_classes([of], schemas))
        for cls in shown[of]:
            given.setdefault(id(cls), []).append(operation)
    return SchemaUses(_joined(read, schemas), _joined(given, schemas))


def _read_types(operation: PathOperation) -> Iterator[Type | None]:
    for parameter in operation.all_parameters():
        if parameter.kind in _INPUTS:
            yield parameter.type
            if parameter.model is not None:
                yield Instance(parameter.model)


def _classes(types: Iterable[Type | None], schemas: dict[int, Schema]) -> Iterator[Class]:
    """Schema classes in some types and in the fields of those; each once."""
    seen: set[int] = set()
    queue = [(of, 0) for of in types]
    while queue:
        of, depth = queue.pop()
        for option in options(of):
            if not isinstance(option, Instance) or depth > _MAX_DEPTH:
                continue
            queue += [(argument, depth + 1) for argument in option.args]
            if isinstance(option.cls, Class) and id(option.cls) in schemas and id(option.cls) not in seen:
                seen.add(id(option.cls))
                yield option.cls
                queue += [(field.type, depth + 1) for field in schemas[id(option.cls)].fields]


def _joined(found: dict[int, list[PathOperation]], schemas: dict[int, Schema]) -> dict[int, SchemaUse]:
    return {key: SchemaUse(schemas[key], tuple(operations)) for key, operations in found.items()}
