"""Which schema a class is: those of the application graph, and plain dataclasses and typed dictionaries read once."""

from __future__ import annotations

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.kept import Kept
from fastapi_architect.appgraph.schemas import Schema, read_schema
from fastapi_architect.program.definitions import Class

_KNOWN: Kept[dict[int, Schema | None]] = Kept()


def schema_of(cls: Class, graph: AppGraph) -> Schema | None:
    """The schema that a class is, None when it is none; read once for each graph."""
    known = _KNOWN.get(graph)
    if known is None:
        known = _KNOWN[graph] = {id(schema.cls): schema for schema in graph.schemas}
    key = id(cls)
    if key not in known:
        known[key] = read_schema(graph.program, cls, graph.deployment.major_of("pydantic", 2))
    return known[key]
