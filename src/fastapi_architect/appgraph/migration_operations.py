"""What a migration does: its `upgrade` and `downgrade`, interpreted without running them.

Loops over literals are unrolled, functions of the tree are followed, both branches of a condition are taken
(and said to be conditional). Each operation stands for itself, whether written with `op`, in a batch or as
SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi_architect.appgraph import column_types
from fastapi_architect.appgraph.column_types import ColumnType
from fastapi_architect.appgraph.declarations import elements, flag, is_none, keyword
from fastapi_architect.appgraph.sql_statements import SqlStatement, parse_sql
from fastapi_architect.appgraph.tables import Column, Table, TableReader, assemble
from fastapi_architect.program.call_graph import callable_name
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Function, Scope, dotted_name, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.type_inference import argument
from fastapi_architect.program.types import FunctionRef, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_MAX_UNROLLED = 500
_MAX_OPERATIONS = 5_000
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Alteration:
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


@dataclass(frozen=True, slots=True)
class Operation:
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
        target: table that a foreign key refers to.
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
    arguments: dict[str, ir.Expr] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class _State:
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


def interpret(program: Program, function: Function, direction: str) -> tuple[Operation, ...]:
    """The operations of one function, in the order in which they run."""
    return _Interpreter(program, direction).run(function)


class _Interpreter:
    def __init__(self, program: Program, direction: str) -> None:
        self.program = program
        self.direction = direction
        self.found: list[Operation] = []
        self.active: list[Function] = []

    def run(self, function: Function) -> tuple[Operation, ...]:
        self._function(function, _State(function, {}, {}, {}, frozenset()))
        return tuple(self.found)

    def _function(self, function: Function, state: _State) -> None:
        if function in self.active or state.depth > _MAX_DEPTH:
            return
        self.active.append(function)
        self._block(function.body, state)
        self.active.pop()

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────

    def _block(self, body: list[ir.Stmt], state: _State) -> None:
        for statement in body:
            if len(self.found) >= _MAX_OPERATIONS:
                return
            state = self._statement(statement, state)

    def _statement(self, node: ir.Stmt, state: _State) -> _State:
        if isinstance(node, ir.Assign):
            self._expression(node.value, state)
            return self._assigned(node.targets, node.value, state)
        if isinstance(node, ir.AnnAssign | ir.ExprStmt | ir.Return | ir.AugAssign):
            if node.value is not None:
                self._expression(node.value, state)
            if isinstance(node, ir.AnnAssign) and node.value is not None:
                return self._assigned([node.target], node.value, state)
        elif isinstance(node, ir.With):
            self._with(node, state)
        elif isinstance(node, ir.For):
            self._for(node.target, node.iter, lambda inner: self._block(node.body, inner), state)
        elif isinstance(node, ir.If):
            self._if(node, state)
        elif isinstance(node, ir.Try):
            self._try(node, state)
        elif isinstance(node, ir.While):
            self._block(node.body, replace(state, repeated=True))
        return state

    def _assigned(self, targets: list[ir.Expr], value: ir.Expr, state: _State) -> _State:
        for target in targets:
            if not isinstance(target, ir.Name):
                continue
            known = self.program.constants.value(value, state.scope, state.bound)
            rest = {name: value for name, value in state.bound.items() if name != target.id}
            state = replace(state, bound=rest if known is UNKNOWN else {**rest, target.id: known})
            if not isinstance(value, ir.Call):
                continue
            name = last_name(value.func)
            if name in ("table", "Table", "create_table") and value.args:
                table = self._string(argument(value, 0), state)
                if table is not None:
                    state = replace(state, tables={**state.tables, target.id: table})
            elif name in ("get_bind", "Session", "connect", "begin", "sessionmaker"):
                state = replace(state, connections=state.connections | {target.id})
        return state

    def _with(self, node: ir.With, state: _State) -> None:
        for item in node.items:
            call = item.context
            if not isinstance(call, ir.Call):
                continue
            name = last_name(call.func)
            if name == "batch_alter_table":
                target = item.target.id if isinstance(item.target, ir.Name) else ""
                table = self._string(argument(call, 0, "table_name"), state)
                state = replace(state, batches={**state.batches, target: table})
            elif name == "autocommit_block":
                state = replace(state, in_autocommit=True)
            elif name in ("Session", "connect", "begin") and isinstance(item.target, ir.Name):
                state = replace(state, connections=state.connections | {item.target.id})
            else:
                self._expression(call, state)
        self._block(node.body, state)

    def _for(self, target: ir.Expr, iterable: ir.Expr, body: Callable[[_State], None], state: _State) -> None:
        values = self.program.constants.value(iterable, state.scope, state.bound)
        if isinstance(values, dict):
            values = list(values)
        if (
            isinstance(iterable, ir.Call)
            and last_name(iterable.func) == "items"
            and isinstance(iterable.func, ir.Attribute)
        ):
            table = self.program.constants.value(iterable.func.value, state.scope, state.bound)
            values = list(table.items()) if isinstance(table, dict) else UNKNOWN
        if not isinstance(values, list | tuple) or len(values) > _MAX_UNROLLED:
            self._expression(iterable, state)
            body(replace(state, repeated=True))
            return
        for value in values:
            body(replace(state, bound={**state.bound, **_unpacked(target, value)}))

    def _if(self, node: ir.If, state: _State) -> None:
        inner = replace(state, conditional=True)
        self._expression(node.test, state)
        self._block(node.body, inner)
        for branch in node.elifs:
            self._block(branch.body, inner)
        self._block(node.orelse, inner)

    def _try(self, node: ir.Try, state: _State) -> None:
        self._block(node.body, state)
        for handler in node.handlers:
            self._block(handler.body, replace(state, conditional=True))
        self._block(node.orelse, state)
        self._block(node.finalbody, state)

    # ── expressions ─────────────────────────────────────────────────────────────────────────────────────────

    def _expression(self, expr: ir.Expr, state: _State) -> None:
        if isinstance(expr, ir.Await | ir.Starred | ir.NamedExpr):
            self._expression(expr.value, state)
        elif isinstance(expr, ir.Comprehension) and expr.generators:
            first = expr.generators[0]
            self._for(first.target, first.iter, lambda inner: self._expression(expr.elt, inner), state)
        elif isinstance(expr, ir.Sequence):
            for each in expr.elts:
                self._expression(each, state)
        elif isinstance(expr, ir.Compare):
            self._expression(expr.left, state)
        elif isinstance(expr, ir.UnaryOp):
            self._expression(expr.operand, state)
        elif isinstance(expr, ir.BoolOp):
            for each in expr.values:
                self._expression(each, replace(state, conditional=True))
        elif isinstance(expr, ir.Attribute):
            self._expression(expr.value, state)
        elif isinstance(expr, ir.Call):
            self._call(expr, state)

    def _call(self, call: ir.Call, state: _State) -> None:
        operation = self._operation_name(call, state)
        if operation is not None:
            method, batch = operation
            reader = OperationReader(self.program, state, self.direction)
            self.found += reader.read(method, call, batch)
            return
        if isinstance(call.func, ir.Attribute):
            self._expression(call.func.value, state)
        for each in call.args:
            if isinstance(each, ir.Call):
                self._expression(each, state)
        for of in options(self.program.inference.type_of(call.func, state.scope)):
            if isinstance(of, FunctionRef):
                bound = self._arguments(call, of, state)
                inner = replace(state, scope=of.function, bound=bound, depth=state.depth + 1)
                self._function(of.function, inner)

    def _operation_name(self, call: ir.Call, state: _State) -> tuple[str, str | None] | None:
        """The method of `op`, a batch or a connection, with the batch's variable; None for another call."""
        func = call.func
        if isinstance(func, ir.Attribute) and isinstance(func.value, ir.Name):
            if func.value.id in state.batches and func.attr in _BATCH_METHODS:
                return func.attr, func.value.id
            if func.value.id in state.connections and func.attr in (
                "execute",
                "scalar",
                "exec_driver_sql",
                "scalars",
            ):
                return "execute", None
        if isinstance(func, ir.Attribute) and func.attr == "execute" and _is_call_of(func.value, "get_bind"):
            return "execute", None
        method = last_name(func)
        if method not in _METHODS:
            return None
        for of in options(self.program.inference.type_of(func, state.scope)):
            if callable_name(of).startswith("alembic.op."):
                return method, None
        return (method, None) if dotted_name(func).startswith(("op.", "alembic.op.")) else None

    def _arguments(self, call: ir.Call, of: FunctionRef, state: _State) -> dict[str, Any]:
        parameters = of.function.parameters[1 if of.function.is_method else 0 :]
        bound: dict[str, Any] = {}
        for position, param in enumerate(parameters):
            expr = argument(call, position, param.name) or param.default
            value = self.program.constants.value(expr, state.scope, state.bound)
            if value is not UNKNOWN:
                bound[param.name] = value
        return bound

    def _string(self, expr: ir.Expr | None, state: _State) -> str | None:
        value = TableReader(self.program, state.bound).value(expr, state.scope)
        return value if isinstance(value, str) else None


def _is_call_of(expr: ir.Expr, name: str) -> bool:
    return isinstance(expr, ir.Call) and last_name(expr.func) == name


def _unpacked(target: ir.Expr, value: Any) -> dict[str, Any]:
    if isinstance(target, ir.Name):
        return {target.id: value}
    found: dict[str, Any] = {}
    if isinstance(target, ir.Sequence) and isinstance(value, list | tuple) and len(value) == len(target.elts):
        for inner, part in zip(target.elts, value, strict=True):
            found |= _unpacked(inner, part)
    return found


_BATCH_METHODS = frozenset(
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
_METHODS = _BATCH_METHODS | frozenset({
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

    def __init__(self, program: Program, state: _State, direction: str) -> None:
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
