"""Reads one call of `op`, a batch or a connection as the operations that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph import column_types
from fastapi_architect.appgraph.column_types import ColumnType
from fastapi_architect.appgraph.declarations import elements, flag, is_none, keyword
from fastapi_architect.appgraph.migration_operations import Alteration, Operation
from fastapi_architect.appgraph.sql_statements import SqlStatement, parse_sql
from fastapi_architect.appgraph.tables import Column, TableReader, assemble
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.syntax import ir


class Surroundings(msgspec.Struct, frozen=True):
    """Where the interpreter is."""

    scope: Function
    bound: dict[str, Any]
    #: Variable to the table it stands for: batches, `sa.table(...)`, results of `create_table`.
    batches: dict[str, str | None]
    tables: dict[str, str]
    #: Variables that hold a connection or session.
    connections: frozenset[str]
    in_autocommit: bool = False
    conditional: bool = False
    repeated: bool = False
    depth: int = 0


BATCH_METHODS = frozenset(
    [
        "add_column",
        "drop_column",
        "alter_column",
        "create_index",
        "drop_index",
        "create_foreign_key",
        "create_unique_constraint",
        "create_check_constraint",
        "create_primary_key",
        "create_exclude_constraint",
        "drop_constraint",
        "execute",
    ]
)
METHODS = BATCH_METHODS | frozenset({
    "create_table", "drop_table", "rename_table", "bulk_insert", "drop_table_comment",
    "create_table_comment", "run_async",
})  # fmt: skip

#: SQL statement's kind to the operation's, where they differ.
_OF_SQL = {
    "rename_column": "alter_column",
    "set_not_null": "alter_column",
    "drop_not_null": "alter_column",
    "set_default": "alter_column",
    "drop_default": "alter_column",
    "set_type": "alter_column",
    "add_foreign_key": "create_foreign_key",
    "add_check": "create_check_constraint",
    "add_unique": "create_unique_constraint",
    "add_primary_key": "create_primary_key",
    "add_constraint": "create_check_constraint",
    "other": "sql",
    "vacuum": "sql",
    "create_extension": "sql",
}


class OperationReader:
    """Reads one call of `op` or a batch."""

    def __init__(self, program: Program, state: Surroundings, direction: str) -> None:
        self.program = program
        self.state = state
        self.scope = state.scope
        self.direction = direction
        self.tables = TableReader(program, state.bound)

    def read(self, method: str, call: ir.Call, batch: str | None) -> Iterator[Operation]:
        """The operations that the call stands for: several when it runs several SQL statements."""
        if method in ("execute", "run_async"):
            yield from self._execute(call)
            return
        # In a batch the table is given by the batch, and every method lacks that argument.
        table = self.state.batches.get(batch) if batch is not None else None
        base = self._base(method, call, in_batch=batch is not None)
        read = getattr(self, f"_{method}", None)
        if read is not None:
            yield read(base, call, batch is not None, table)

    def _base(self, kind: str, call: ir.Call, in_batch: bool = False) -> Operation:
        state = self.state
        return Operation(
            kind=kind,
            direction=self.direction,
            scope=self.scope,
            node=call,
            location=self.scope.location(call),
            in_batch=in_batch,
            in_autocommit=state.in_autocommit,
            conditional=state.conditional,
            repeated=state.repeated,
            concurrently=flag(self.program, call, self.scope, "postgresql_concurrently", default=False)
            is True,
            not_valid=flag(self.program, call, self.scope, "postgresql_not_valid", default=False) is True,
            arguments={k.arg: k.value for k in call.keywords if k.arg is not None},
        )

    def _string(self, expr: ir.Expr | None) -> str | None:
        if isinstance(expr, ir.Name) and expr.id in self.state.tables:
            return self.state.tables[expr.id]
        value = self.tables.value(expr, self.scope)
        return value if isinstance(value, str) else None

    def _names(self, expr: ir.Expr | None) -> tuple[str, ...]:
        if expr is None:
            return ()
        value = self.tables.value(expr, self.scope)
        if isinstance(value, list | tuple):
            return tuple(v if isinstance(v, str) else "?" for v in value)
        return tuple(self.tables.index_column(each, self.scope, {}) for each in elements(expr))

    def _qualified(self, call: ir.Call, table: str | None) -> str | None:
        schema = self.tables.text(call, self.scope, "schema", "source_schema")
        return f"{schema}.{table}" if schema and table else table

    # Each reader takes (operation so far, call, whether in a batch, the batch's table).

    def _create_table(self, base: Operation, call: ir.Call, _batch: bool, _table: str | None) -> Operation:
        name = self._string(argument(call, 0, "table_name"))
        items = self.tables.items(call.args[1:], self.scope)
        created = assemble(name or "", items.columns, items, base.location)
        schema = self.tables.text(call, self.scope, "schema")
        created = replace(created, schema=schema)
        columns = tuple(c.name for c in created.columns)
        return replace(base, table=created.full_name if name else None, created=created, columns=columns)

    def _drop_table(self, base: Operation, call: ir.Call, _batch: bool, _table: str | None) -> Operation:
        return replace(base, table=self._qualified(call, self._string(argument(call, 0, "table_name"))))

    def _rename_table(self, base: Operation, call: ir.Call, _batch: bool, _table: str | None) -> Operation:
        old = self._qualified(call, self._string(argument(call, 0, "old_table_name")))
        return replace(base, table=old, name=self._string(argument(call, 1, "new_table_name")))

    def _bulk_insert(self, base: Operation, call: ir.Call, _batch: bool, _table: str | None) -> Operation:
        table = argument(call, 0, "table")
        if isinstance(table, ir.Call) and table.args:
            table = table.args[0]
        if isinstance(table, ir.Name) and table.id not in self.state.tables:
            expanded, where = self.program.inference.expand(table, self.scope)
            if isinstance(expanded, ir.Call) and expanded.args:
                return replace(base, table=self.program.constants.string(expanded.args[0], where))
        return replace(base, table=self._string(table))

    def _table_and(
        self, call: ir.Call, batch: bool, table: str | None, first: str
    ) -> tuple[str | None, ir.Expr | None]:
        """The table and the argument behind it."""
        if batch:
            return table, argument(call, 0, first)
        return self._qualified(call, self._string(argument(call, 0, "table_name"))), argument(call, 1, first)

    def _add_column(self, base: Operation, call: ir.Call, batch: bool, table: str | None) -> Operation:
        table, expr = self._table_and(call, batch, table, "column")
        inner, where = (
            self.program.inference.expand(expr, self.scope) if expr is not None else (None, self.scope)
        )
        if not isinstance(inner, ir.Call):
            return replace(base, table=table)
        column = self.tables.column(inner, where)
        return replace(base, table=table, column=column, columns=(column.name,) if column.name else ())

    def _drop_column(self, base: Operation, call: ir.Call, batch: bool, table: str | None) -> Operation:
        table, expr = self._table_and(call, batch, table, "column_name")
        name = self._string(expr)
        return replace(base, table=table, columns=(name,) if name else ())

    def _alter_column(self, base: Operation, call: ir.Call, batch: bool, table: str | None) -> Operation:
        table, expr = self._table_and(call, batch, table, "column_name")
        name = self._string(expr)
        default = keyword(call, "server_default")
        drops = default is not None and (is_none(default) or _is_false(default))
        alteration = Alteration(
            nullable=flag(self.program, call, self.scope, "nullable"),
            type=column_types.of_expression(self.program, keyword(call, "type_"), self.scope),
            server_default=None if drops else default,
            drops_default=drops and is_none(default),
            new_name=self._string(keyword(call, "new_column_name", "name")),
            existing_type=column_types.of_expression(
                self.program, keyword(call, "existing_type"), self.scope
            ),
            existing_nullable=flag(self.program, call, self.scope, "existing_nullable"),
            using=self.tables.text(call, self.scope, "postgresql_using"),
        )
        return replace(base, table=table, columns=(name,) if name else (), alteration=alteration)

    def _create_index(self, base: Operation, call: ir.Call, batch: bool, table: str | None) -> Operation:
        name = self._string(argument(call, 0, "index_name"))
        if batch:
            columns = argument(call, 1, "columns")
        else:
            table = self._qualified(call, self._string(argument(call, 1, "table_name")))
            columns = argument(call, 2, "columns")
        return replace(
            base,
            table=table,
            name=name,
            columns=self._names(columns),
            unique=flag(self.program, call, self.scope, "unique", default=False) is True,
            has_where=keyword(call, "postgresql_where", "sqlite_where") is not None,
        )

    def _drop_index(self, base: Operation, call: ir.Call, batch: bool, table: str | None) -> Operation:
        name = self._string(argument(call, 0, "index_name"))
        if not batch:
            table = self._qualified(call, self._string(argument(call, 1, "table_name")))
        return replace(base, table=table, name=name)

    def _create_foreign_key(
        self, base: Operation, call: ir.Call, batch: bool, table: str | None
    ) -> Operation:
        shift = 0 if batch else 1
        if not batch:
            table = self._qualified(call, self._string(argument(call, 1, "source_table")))
        target = self._string(argument(call, 1 + shift, "referent_table"))
        schema = self.tables.text(call, self.scope, "referent_schema")
        return replace(
            base,
            table=table,
            name=self._string(argument(call, 0, "constraint_name")),
            target=f"{schema}.{target}" if schema and target else target,
            columns=self._names(argument(call, 2 + shift, "local_cols")),
            target_columns=self._names(argument(call, 3 + shift, "remote_cols")),
        )

    def _create_unique_constraint(
        self, base: Operation, call: ir.Call, batch: bool, table: str | None
    ) -> Operation:
        name = self._string(argument(call, 0, "constraint_name"))
        if not batch:
            table = self._qualified(call, self._string(argument(call, 1, "table_name")))
        return replace(
            base, table=table, name=name, columns=self._names(argument(call, 1 if batch else 2, "columns"))
        )

    _create_primary_key = _create_unique_constraint

    def _create_check_constraint(
        self, base: Operation, call: ir.Call, batch: bool, table: str | None
    ) -> Operation:
        name = self._string(argument(call, 0, "constraint_name"))
        if not batch:
            table = self._qualified(call, self._string(argument(call, 1, "table_name")))
        condition = self.tables.sql_text(argument(call, 1 if batch else 2, "condition"), self.scope)
        return replace(base, table=table, name=name, sql=condition)

    _create_exclude_constraint = _create_check_constraint

    def _drop_constraint(self, base: Operation, call: ir.Call, batch: bool, table: str | None) -> Operation:
        name = self._string(argument(call, 0, "constraint_name"))
        if not batch:
            table = self._qualified(call, self._string(argument(call, 1, "table_name")))
        kind = self._string(argument(call, 1 if batch else 2, "type_"))
        return replace(base, table=table, name=name, constraint_type=kind)

    # ── SQL ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _execute(self, call: ir.Call) -> Iterator[Operation]:
        expr = call.args[0] if call.args else keyword(call, "sqltext", "statement")
        base = self._base("execute", call)
        text = self._sql(expr)
        if text is None:
            yield self._expression_statement(base, expr)
            return
        statements = parse_sql(text)
        for statement in statements:
            yield _of_statement(base, statement)

    def _sql(self, expr: ir.Expr | None) -> str | None:
        """SQL text; placeholders stand for what an f-string fills in that is not known."""
        if isinstance(expr, ir.Call) and last_name(expr.func) in ("text", "DDL") and expr.args:
            expr = expr.args[0]
        if isinstance(expr, ir.Call) and last_name(expr.func) in ("bindparams", "strip", "dedent", "format"):
            inner = expr.func.value if isinstance(expr.func, ir.Attribute) else None
            return self._sql(expr.args[0] if last_name(expr.func) == "dedent" and expr.args else inner)
        value = self.tables.value(expr, self.scope)
        if isinstance(value, str):
            return value
        if isinstance(expr, ir.Name):
            expanded, where = self.program.inference.expand(expr, self.scope)
            if expanded is not expr and where is self.scope:
                return self._sql(expanded)
        if isinstance(expr, ir.JoinedStr):
            parts = []
            for part in expr.values:
                inner = part.value if isinstance(part, ir.FormattedValue) else part
                known = self.tables.value(inner, self.scope)
                parts.append("{}" if known is UNKNOWN else str(known))
            return "".join(parts)
        return None

    def _expression_statement(self, base: Operation, expr: ir.Expr | None) -> Operation:
        """`users.update().values(...)`, `sa.insert(users)`, `CreateSequence(...)`."""
        node = expr
        has_where = False
        while isinstance(node, ir.Call):
            name = last_name(node.func)
            has_where = has_where or name in ("where", "filter")
            if name in ("update", "insert", "delete", "select"):
                table = node.args[0] if node.args else getattr(node.func, "value", None)
                return replace(base, kind=name, table=self._string(table), has_where=has_where)
            node = node.func.value if isinstance(node.func, ir.Attribute) else None
        return base


def _is_false(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Constant) and expr.kind == "bool" and expr.value is False


def _column_of(base: Operation, statement: SqlStatement) -> Column:
    """The column that `ALTER TABLE ... ADD COLUMN` adds."""
    default = ir.Constant(base.node.span, "str", statement.type_text) if statement.has_default else None
    return Column(
        attribute="",
        name=statement.columns[0] if statement.columns else "",
        type=_sql_type(statement.type_text),
        python_type=None,
        nullable=not statement.not_null,
        primary_key=False,
        unique=False,
        index=False,
        default=None,
        server_default=default,
        onupdate=None,
        server_onupdate=None,
        foreign_keys=(),
        autoincrement=None,
        generated="GENERATED" in statement.type_text.upper(),
        deferred=False,
        owner=None,
        location=base.location,
        call=None,
        scope=base.scope,
    )


def _sql_type(text: str) -> ColumnType | None:
    words = text.upper().replace("(", " ").split()
    return ColumnType(words[0], impl=words[0]) if words else None


def _of_statement(base: Operation, statement: SqlStatement) -> Operation:
    kind = _OF_SQL.get(statement.kind, statement.kind)
    alteration = None
    if kind == "alter_column":
        alteration = Alteration(
            nullable={"set_not_null": False, "drop_not_null": True}.get(statement.kind),
            type=_sql_type(statement.type_text),
            drops_default=statement.kind == "drop_default",
            new_name=statement.name if statement.kind == "rename_column" else None,
        )
    return replace(
        base,
        kind=kind,
        column=_column_of(base, statement) if kind == "add_column" else None,
        table=statement.table or None,
        columns=statement.columns,
        name=statement.name or None,
        target=statement.target or None,
        alteration=alteration,
        unique=statement.unique,
        concurrently=statement.concurrently,
        not_valid=statement.not_valid,
        has_where=statement.has_where,
        from_select=statement.from_select,
        sql=statement.text,
    )
