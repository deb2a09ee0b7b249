"""Which columns the database can search by: indexes of the models and of the migrations together."""

from __future__ import annotations

import re

from fastapi_architect.analyses.migration_history import histories
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.tables import Table
from fastapi_architect.source.lazy_pattern import lazy_pattern

_CREATE_INDEX = lazy_pattern(r"create\s+(unique\s+)?index", re.IGNORECASE)


def table_of(model: Model, graph: AppGraph) -> Table:
    """The table with everything that other classes and modules add to it."""
    return graph.database.table_named.get(model.table.full_name, model.table)


def leading_columns(model: Model, graph: AppGraph) -> tuple[tuple[str, ...], ...]:
    """Lists of columns that an index, key or unique constraint begins with, by their names in the database.

    What only the migrations have counts, too: that is what production has.
    """
    known = _leading_by_class(graph)
    if id(model.cls) not in known:
        known[id(model.cls)] = _leading_columns(model, graph)
    return known[id(model.cls)]


@question
def _leading_by_class(_: AppGraph) -> dict[int, tuple[tuple[str, ...], ...]]:
    """What was found so far, by the identity of the model's class: comparing models would compare their tables."""
    return {}


def _leading_columns(model: Model, graph: AppGraph) -> tuple[tuple[str, ...], ...]:
    found = list(table_of(model, graph).leading_columns())
    found += [index.columns for index in table_of(model, graph).indexes]
    for history in graph.migrations:
        state = histories(graph).head(history).table(model.table.full_name)
        if state is not None:
            found += [*state.leading_columns(), *(index.columns for index in state.indexes)]
    return tuple(dict.fromkeys(columns for columns in found if columns))


def leads(model: Model, column: str, graph: AppGraph) -> bool:
    """Some index begins with the column."""
    return any(columns[0] == column for columns in leading_columns(model, graph))


def covers(model: Model, column: str, graph: AppGraph) -> bool:
    """Some index holds the column, at any place, or a function of it."""
    return any(column in text for columns in leading_columns(model, graph) for text in columns)


def is_known(model: Model, graph: AppGraph) -> bool:
    """Nothing hides an index: the model is complete, and no SQL of the migrations makes indexes on its table."""
    if not model.is_complete or not table_of(model, graph).is_complete or not model.table.name:
        return False
    return not any(model.table.name in sql for sql in _index_statements(graph))


@question
def _index_statements(graph: AppGraph) -> tuple[str, ...]:
    """SQL texts of the migrations that make indexes; read once for each graph."""
    return tuple(
        operation.sql
        for revision in graph.revisions
        for operation in revision.upgrades
        if operation.kind in ("execute", "sql") and operation.sql and _CREATE_INDEX.search(operation.sql)
    )
