"""What a migration does, step by step, whether written with `op`, in a batch or as SQL."""

from __future__ import annotations

import msgspec

from fastapi_architect.appgraph.column_types import ColumnType
from fastapi_architect.appgraph.tables import Column, Table
from fastapi_architect.program.definitions import Scope
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir


class Alteration(msgspec.Struct, frozen=True):
    """What `alter_column` changes; None means unchanged.

    Attributes:
        nullable: the new value.
        type: the new type.
        server_default: expression of the new default.
        drops_default: the default is taken away.
        new_name: of a rename.
        existing_type: as given.
        existing_nullable: as given.
        using: text of `postgresql_using`.
    """

    nullable: bool | None = None
    type: ColumnType | None = None
    server_default: ir.Expr | None = None
    drops_default: bool = False
    new_name: str | None = None
    existing_type: ColumnType | None = None
    existing_nullable: bool | None = None
    using: str | None = None


class Operation(msgspec.Struct, frozen=True):
    """One step.

    Attributes:
        kind: create_table, drop_table, rename_table, add_column, drop_column, alter_column, create_index,
            drop_index, create_foreign_key, create_unique_constraint, create_check_constraint,
            create_primary_key, create_exclude_constraint, drop_constraint, validate_constraint, create_type,
            alter_type, drop_type, update, insert, delete, truncate, select, bulk_insert, reindex, sql (SQL
            that is not understood) or execute (SQL that is not a constant).
        table: None when not known or not about one.
        columns: names of the columns concerned; "?" for an expression.
        name: of the index or constraint; the new name for rename_table.
        column: the column added.
        created: the table created.
        alteration: of alter_column.
        target: table that a foreign key refers to, or index that a unique constraint takes over.
        target_columns: its columns.
        unique: a unique index.
        concurrently: built without blocking writers (`postgresql_concurrently`, `CONCURRENTLY`).
        not_valid: a constraint that existing rows are not checked against (`postgresql_not_valid`, `NOT
            VALID`).
        has_where: an UPDATE or DELETE with WHERE; a partial index.
        from_select: an INSERT from a query.
        constraint_type: of drop_constraint: foreignkey, unique, check, primary or None.
        sql: text when it was written as SQL.
        in_batch: inside `batch_alter_table`.
        in_autocommit: inside `autocommit_block()`.
        conditional: it may not happen (inside `if`, `except`, ...).
        repeated: in a loop that could not be unrolled.
        direction: upgrade or downgrade.
        arguments: keyword arguments as written.
        scope: function whose body it stands in.
        node: the call.
        location: where.
    """

    kind: str
    direction: str
    scope: Scope
    node: ir.Call
    location: Location
    table: str | None = None
    columns: tuple[str, ...] = ()
    name: str | None = None
    column: Column | None = None
    created: Table | None = None
    alteration: Alteration | None = None
    target: str | None = None
    target_columns: tuple[str, ...] = ()
    unique: bool = False
    concurrently: bool = False
    not_valid: bool = False
    has_where: bool = False
    from_select: bool = False
    constraint_type: str | None = None
    sql: str | None = None
    in_batch: bool = False
    in_autocommit: bool = False
    conditional: bool = False
    repeated: bool = False
    arguments: dict[str, ir.Expr] = msgspec.field(default_factory=dict)

    @property
    def changes_schema(self) -> bool:
        """It is DDL."""
        return self.kind not in (
            "update",
            "insert",
            "delete",
            "select",
            "bulk_insert",
            "execute",
            "sql",
            "truncate",
            "set",
        )

    @property
    def changes_data(self) -> bool:
        """It writes rows."""
        return self.kind in ("update", "insert", "delete", "bulk_insert", "truncate")
