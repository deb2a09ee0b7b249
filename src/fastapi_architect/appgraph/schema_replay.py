"""The schema that migrations build, replayed step by step without a database."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.column_types import ColumnType
from fastapi_architect.appgraph.migration_operations import Operation
from fastapi_architect.appgraph.migrations import Revision
from fastapi_architect.appgraph.tables import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Table,
    UniqueConstraint,
)
from fastapi_architect.syntax import ir


class ColumnState(msgspec.Struct, frozen=True):
    """A column at one moment.

    Attributes:
        name: its name.
        type: None when not known.
        nullable: None when not known.
        server_default: expression; None when it has none.
        primary_key: part of the primary key.
        since: revision that added it.
    """

    name: str
    type: ColumnType | None
    nullable: bool | None
    server_default: ir.Expr | None
    primary_key: bool
    since: str


class TableState(msgspec.Struct, frozen=True):
    """A table at one moment.

    Attributes:
        name: with its schema if it has one.
        columns: by name, in order.
        indexes, uniques, foreign_keys, checks: as created.
        since: revision that created it.
        opaque: something happened to it that is not understood (SQL, unknown names): do not conclude from
            absence.
    """

    name: str
    columns: dict[str, ColumnState]
    indexes: tuple[Index, ...] = ()
    uniques: tuple[UniqueConstraint, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[CheckConstraint, ...] = ()
    since: str = ""
    opaque: bool = False

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of its columns."""
        return tuple(c.name for c in self.columns.values() if c.primary_key)

    def unique_sets(self) -> tuple[frozenset[str], ...]:
        """Sets of columns that the database keeps unique."""
        found = [frozenset(self.primary_key)] if self.primary_key else []
        found += [frozenset(i.columns) for i in self.indexes if i.unique and i.where is None]
        return (*found, *(frozenset(u.columns) for u in self.uniques))

    def leading_columns(self) -> tuple[tuple[str, ...], ...]:
        """Column lists by which the database can search."""
        found = [self.primary_key] if self.primary_key else []
        found += [i.columns for i in self.indexes if i.where is None]
        return (*found, *(u.columns for u in self.uniques))


class SchemaState(msgspec.Struct, frozen=True):
    """All tables at one moment.

    Attributes:
        tables: by name.
        opaque: SQL or code that is not understood may have made or dropped tables.
    """

    tables: dict[str, TableState] = msgspec.field(default_factory=dict)
    opaque: bool = False

    def table(self, name: str | None) -> TableState | None:
        """The table of that name; a name without schema finds the only table that has one."""
        if name is None:
            return None
        found = self.tables.get(name)
        if found is None and "." not in name:
            inside = [t for full, t in self.tables.items() if full.rpartition(".")[2] == name]
            return inside[0] if len(inside) == 1 else None
        return found


class Step(msgspec.Struct, frozen=True):
    """One revision with the schema before and behind it."""

    revision: Revision
    before: SchemaState
    after: SchemaState


class Timeline(msgspec.Struct, frozen=True, dict=True):
    """The schema over all revisions.

    Attributes:
        steps: in the order in which revisions run.
    """

    steps: tuple[Step, ...]

    @property
    def head(self) -> SchemaState:
        """The schema that all revisions together make."""
        return self.steps[-1].after if self.steps else SchemaState()

    @cached_property
    def by_id(self) -> dict[str, Step]:
        """Steps by revision."""
        return {step.revision.id: step for step in self.steps}


def replay(revisions: Iterable[Revision]) -> Timeline:
    """Apply every `upgrade` in the given order (parents first, as `MigrationHistory.revisions` gives them).

    Where branches run beside each other, the schema before a revision holds what stands before it in that
    order.
    """
    state = SchemaState()
    steps = []
    for revision in revisions:
        before = state
        for operation in revision.upgrades:
            state = apply(state, operation, revision.id)
        steps.append(Step(revision, before, state))
    return Timeline(tuple(steps))


def apply(state: SchemaState, operation: Operation, revision: str) -> SchemaState:
    """The schema behind one operation; an operation on something unknown makes its table opaque."""
    kind = operation.kind
    if kind == "create_table":
        return _create_table(state, operation, revision)
    if kind in ("execute", "sql"):
        return replace(state, opaque=True) if kind == "execute" or _may_change_schema(operation) else state
    if kind == "drop_index" and state.table(operation.table) is None:
        return _drop_index_anywhere(state, operation)
    if operation.table is None:
        return replace(state, opaque=True) if operation.changes_schema and kind in _ON_TABLES else state
    if kind == "drop_table":
        name = _name_of(state, operation.table)
        return replace(state, tables={n: t for n, t in state.tables.items() if n != name})
    if kind == "rename_table":
        return _rename_table(state, operation)
    change = _CHANGES.get(kind)
    if change is None:
        return state
    table = state.table(operation.table) or TableState(operation.table, {}, since="", opaque=True)
    changed = change(table, operation, revision)
    return replace(state, tables={**state.tables, table.name: changed})


_ON_TABLES = frozenset(
    {"drop_table", "rename_table", "add_column", "drop_column", "alter_column", "create_table"}
)


def _may_change_schema(operation: Operation) -> bool:
    words = (operation.sql or "").lower().split()[:2]
    return bool(words) and words[0] in ("do", "create", "alter", "drop", "call") and words[1:] not in (
        ["view"], ["function"], ["trigger"], ["extension"], ["sequence"], ["policy"], ["role"], ["or"],
        ["materialized"],
    )  # fmt: skip


def _name_of(state: SchemaState, name: str) -> str:
    found = state.table(name)
    return found.name if found is not None else name


def _create_table(state: SchemaState, operation: Operation, revision: str) -> SchemaState:
    created = operation.created
    if operation.table is None:
        return replace(state, opaque=True)
    if created is None:  # by SQL
        table = TableState(operation.table, {}, since=revision, opaque=True)
    else:
        table = _of_table(created, operation.table, revision)
    if operation.conditional and operation.table in state.tables:
        return state
    return replace(state, tables={**state.tables, table.name: table})


def _of_table(created: Table, name: str, revision: str) -> TableState:
    return TableState(
        name=name,
        columns={column.name: _of_column(column, revision) for column in created.columns},
        indexes=created.indexes,
        uniques=created.uniques,
        foreign_keys=created.foreign_keys,
        checks=created.checks,
        since=revision,
        opaque=not created.is_complete or any(not column.name for column in created.columns),
    )


def _of_column(column: Column, revision: str) -> ColumnState:
    return ColumnState(
        column.name, column.type, column.nullable, column.server_default, column.primary_key, revision
    )


def _rename_table(state: SchemaState, operation: Operation) -> SchemaState:
    old = state.table(operation.table)
    if old is None or operation.name is None:
        return replace(state, opaque=True)
    schema = old.name.rpartition(".")[0]
    name = f"{schema}.{operation.name}" if schema else operation.name
    renamed: dict[str, TableState] = {}
    for key, table in state.tables.items():
        # References to the table follow it.
        keys = tuple(replace(f, table=name) if f.table == old.name else f for f in table.foreign_keys)
        own = name if key == old.name else key
        renamed[own] = replace(table, name=own, foreign_keys=keys)
    return replace(state, tables=renamed)


def _drop_index_anywhere(state: SchemaState, operation: Operation) -> SchemaState:
    """`DROP INDEX name` names no table."""
    tables = {
        name: replace(
            t,
            indexes=tuple(i for i in t.indexes if not _is_named(i.name, operation.name, t, i.columns, "ix")),
        )
        for name, t in state.tables.items()
    }
    return replace(state, tables=tables)


def _is_named(
    name: str | None, wanted: str | None, table: TableState, columns: tuple[str, ...], kind: str
) -> bool:
    """The object has this name, or has none and would get it by PostgreSQL's or SQLAlchemy's rules."""
    if wanted is None:
        return False
    if name is not None:
        return name == wanted
    bare = table.name.rpartition(".")[2]
    joined = "_".join(columns)
    if kind == "ix":
        return wanted in (
            f"ix_{bare}_{joined}",
            f"ix_{table.name.replace('.', '_')}_{joined}",
            f"{bare}_{joined}_idx",
        )
    endings = {"unique": ("key", "uq"), "foreignkey": ("fkey", "fk"), "check": ("check", "ck")}[kind]
    return wanted == f"{bare}_{joined}_{endings[0]}" or wanted.startswith(f"{endings[1]}_{bare}_{joined}")


def _add_column(table: TableState, operation: Operation, revision: str) -> TableState:
    column = operation.column
    if column is None or not column.name:
        return replace(table, opaque=True)
    table = replace(table, columns={**table.columns, column.name: _of_column(column, revision)})
    if column.index:
        index = Index(None, (column.name,), column.unique, None, None, operation.location)
        table = replace(table, indexes=(*table.indexes, index))
    elif column.unique:
        unique = UniqueConstraint(None, (column.name,), operation.location)
        table = replace(table, uniques=(*table.uniques, unique))
    return replace(table, foreign_keys=(*table.foreign_keys, *column.foreign_keys))


def _drop_column(table: TableState, operation: Operation, _revision: str) -> TableState:
    gone = set(operation.columns)
    if not gone:
        return replace(table, opaque=True)
    # The database drops indexes and constraints with the column.
    return replace(
        table,
        columns={n: c for n, c in table.columns.items() if n not in gone},
        indexes=tuple(i for i in table.indexes if not gone & set(i.columns)),
        uniques=tuple(u for u in table.uniques if not gone & set(u.columns)),
        foreign_keys=tuple(f for f in table.foreign_keys if not gone & set(f.columns)),
    )


def _alter_column(table: TableState, operation: Operation, revision: str) -> TableState:
    change = operation.alteration
    if change is None or not operation.columns:
        return replace(table, opaque=True)
    name = operation.columns[0]
    old = table.columns.get(name) or ColumnState(
        name, change.existing_type, change.existing_nullable, None, False, revision
    )
    default = None if change.drops_default else change.server_default or old.server_default
    new = replace(
        old,
        name=change.new_name or old.name,
        type=change.type or old.type,
        nullable=old.nullable if change.nullable is None else change.nullable,
        server_default=default,
    )
    columns = {new.name if n == name else n: new if n == name else c for n, c in table.columns.items()}
    columns.setdefault(new.name, new)
    table = replace(table, columns=columns)
    return _renamed(table, name, change.new_name) if change.new_name else table


def _renamed(table: TableState, old: str, new: str) -> TableState:
    """Indexes and constraints follow a renamed column."""

    def follow(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if c == old else c for c in columns)

    return replace(
        table,
        indexes=tuple(replace(i, columns=follow(i.columns)) for i in table.indexes),
        uniques=tuple(replace(u, columns=follow(u.columns)) for u in table.uniques),
        foreign_keys=tuple(replace(f, columns=follow(f.columns)) for f in table.foreign_keys),
    )


def _create_index(table: TableState, operation: Operation, _revision: str) -> TableState:
    where = operation.arguments.get("postgresql_where") or operation.arguments.get("sqlite_where")
    if where is None and operation.has_where:
        where = operation.node
    index = Index(operation.name, operation.columns, operation.unique, where, None, operation.location)
    return replace(table, indexes=(*table.indexes, index))


def _drop_index(table: TableState, operation: Operation, _revision: str) -> TableState:
    left = tuple(i for i in table.indexes if not _is_named(i.name, operation.name, table, i.columns, "ix"))
    return replace(table, indexes=left, opaque=table.opaque or operation.name is None)


def _create_unique(table: TableState, operation: Operation, _revision: str) -> TableState:
    columns, indexes = operation.columns, table.indexes
    if not columns and operation.target is not None:
        # `ADD CONSTRAINT ... UNIQUE USING INDEX ...` turns the index into the constraint.
        columns = next((i.columns for i in indexes if i.name == operation.target), ())
        indexes = tuple(i for i in indexes if i.name != operation.target)
    unique = UniqueConstraint(operation.name, columns, operation.location)
    return replace(table, uniques=(*table.uniques, unique), indexes=indexes)


def _create_foreign_key(table: TableState, operation: Operation, _revision: str) -> TableState:
    def text(name: str) -> str | None:
        expr = operation.arguments.get(name)
        return expr.value.upper() if isinstance(expr, ir.Constant) and isinstance(expr.value, str) else None

    key = ForeignKey(
        operation.columns,
        operation.target or "",
        operation.target_columns,
        text("ondelete"),
        text("onupdate"),
        operation.name,
        operation.location,
    )
    return replace(table, foreign_keys=(*table.foreign_keys, key))


def _create_check(table: TableState, operation: Operation, _revision: str) -> TableState:
    check = CheckConstraint(operation.name, operation.sql, operation.location)
    return replace(table, checks=(*table.checks, check))


def _create_primary_key(table: TableState, operation: Operation, _revision: str) -> TableState:
    columns = {
        n: replace(c, primary_key=True, nullable=False) if n in operation.columns else c
        for n, c in table.columns.items()
    }
    return replace(table, columns=columns)


def _drop_constraint(table: TableState, operation: Operation, _revision: str) -> TableState:
    wanted = operation.name
    if wanted is None:
        return replace(table, opaque=True)
    if operation.constraint_type == "primary" or wanted == f"{table.name.rpartition('.')[2]}_pkey":
        return replace(table, columns={n: replace(c, primary_key=False) for n, c in table.columns.items()})
    return replace(
        table,
        uniques=tuple(u for u in table.uniques if not _is_named(u.name, wanted, table, u.columns, "unique")),
        foreign_keys=tuple(
            f for f in table.foreign_keys if not _is_named(f.name, wanted, table, f.columns, "foreignkey")
        ),
        checks=tuple(c for c in table.checks if c.name != wanted),
    )


_CHANGES = {
    "add_column": _add_column,
    "drop_column": _drop_column,
    "alter_column": _alter_column,
    "create_index": _create_index,
    "drop_index": _drop_index,
    "create_unique_constraint": _create_unique,
    "create_foreign_key": _create_foreign_key,
    "create_check_constraint": _create_check,
    "create_primary_key": _create_primary_key,
    "drop_constraint": _drop_constraint,
}
