"""Which type has a column in the database, when its declaration leaves that to the column it refers to?"""

from __future__ import annotations

from fastapi_architect.appgraph.column_types import ColumnType
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.program.definitions import last_name
from fastapi_architect.syntax import ir

#: What may stand in `mapped_column(...)` and is no type.
_NO_TYPES = ("ForeignKey", "Identity", "Computed", "Sequence")
#: References of references that are followed.
_MAX_CHAIN = 5


def stored_type(column: Column, graph: AppGraph) -> ColumnType | None:
    """The type that SQLAlchemy gives the column, None when not known.

    `mapped_column(ForeignKey("orders.id"))` takes the type of `orders.id`, whatever `Mapped[...]` says.
    """
    current: Column | None = column
    for _ in range(_MAX_CHAIN):
        if current is None or not _leaves_it_to_its_key(current):
            break
        current = _referenced(current, graph)
    else:
        return None
    return current.type if current is not None else None


def _leaves_it_to_its_key(column: Column) -> bool:
    call = column.call
    if call is None or not column.foreign_keys or last_name(call.func) == "Field":
        return False  # SQLModel takes the type of the annotation
    return all(_is_no_type(each) for each in call.args) and not any(k.arg == "type_" for k in call.keywords)


def _is_no_type(expr: ir.Expr) -> bool:
    if isinstance(expr, ir.Call):
        return last_name(expr.func) in _NO_TYPES
    return isinstance(expr, ir.Constant)


def _referenced(column: Column, graph: AppGraph) -> Column | None:
    key = column.foreign_keys[0]
    table = graph.database.table_named.get(key.table)
    if table is None or len(key.target_columns) != 1:
        return None
    return next((each for each in table.columns if each.name == key.target_columns[0]), None)
