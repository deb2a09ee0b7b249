"""Measured facts that speak for the code, and how much there was to measure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.taint import taint_paths
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.concepts.database import DatabaseCall, SqlExecution
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.syntax import ir


class Measured(msgspec.Struct, frozen=True):
    """`measured` of `total` have the good property that `text` states."""

    text: str
    measured: int
    total: int


def measure(graph: AppGraph) -> Iterator[Measured]:
    """Properties that hold for all of at least three things; nothing is claimed of what was not seen."""
    http = [o for o in graph.operations if o.kind == "http" and o.in_schema]
    for text, wanted, among in (
        ("operations declare a response model or a return type", _declares_response, http),
        (
            "operations that change state require authentication",
            lambda o: graph.access(o).authenticated,
            [o for o in http if o.is_write],
        ),
        ("operations carry tags", lambda o: bool(o.tags), http),
        (
            "request bodies are validated by a declared type",
            _has_typed_body,
            [o for o in http if _has_body(o)],
        ),
        ("operations have a summary or a docstring", _is_described, http),
    ):
        yield from _all("{} " + text, sum(map(wanted, among)), len(among))
    sql = graph.facts(SqlExecution)
    if not taint_paths(graph, "sql"):
        text = "{} executed statements are expressions or carry bound parameters"
        yield from _all(text, sum(not _is_built(c) for c in sql), len(sql))
    outbound = graph.facts(OutboundRequest)
    limited = sum(c.timeout_given or c.default_timeout is not None for c in outbound)
    yield from _all("{} outbound requests are limited in time", limited, len(outbound))
    columns = [(m, c) for m in graph.models for c in m.columns if c.foreign_keys]
    indexed = sum(
        (column.name,) in {cut[:1] for cut in model.table.leading_columns()} for model, column in columns
    )
    yield from _all("{} foreign keys are indexed", indexed, len(columns))


def subjects(graph: AppGraph) -> dict[str, int]:
    """How many operations, queries, async functions and files there are."""
    return {
        "operations": len(graph.operations),
        "queries": len(graph.facts(DatabaseCall)),
        "async functions": sum(f.is_async for f in graph.program.functions),
        "files": len(graph.program.modules),
    }


def _all(text: str, measured: int, total: int) -> Iterator[Measured]:
    if total >= 3 and measured == total:
        yield Measured(text.format(f"all {total}"), measured, total)


def _declares_response(operation: PathOperation) -> bool:
    return operation.response_model is not None or operation.status_code == 204


def _has_body(operation: PathOperation) -> bool:
    return any(p.kind == "body" for p in operation.parameters)


def _has_typed_body(operation: PathOperation) -> bool:
    return all(p.type is not None for p in operation.parameters if p.kind == "body")


def _is_described(operation: PathOperation) -> bool:
    documented = operation.handler is not None and bool(operation.handler.node.docstring)
    return documented or bool({"summary", "description"} & operation.keywords.keys())


def _is_built(call: SqlExecution) -> bool:
    """The statement is put together from values."""
    return call.raw and isinstance(call.statement, ir.JoinedStr | ir.BinOp)
