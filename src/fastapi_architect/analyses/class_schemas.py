"""Which schema a class is: those of the application graph, and plain dataclasses and typed dictionaries read once."""

from __future__ import annotations

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.appgraph.schemas import Schema, read_schema
from fastapi_architect.program.definitions import Class


def schema_of(cls: Class, graph: AppGraph) -> Schema | None:
    """The schema that a class is, None when it is none."""
    return _found(graph).get(id(cls)) or _read(graph, cls)


@question
def _found(graph: AppGraph) -> dict[int, Schema]:
    return {id(schema.cls): schema for schema in graph.schemas}


@question_about
def _read(graph: AppGraph, cls: Class) -> Schema | None:
    return read_schema(graph.program, cls, graph.pydantic_major)
