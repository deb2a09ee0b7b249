"""Tables: columns, indexes and constraints as SQLAlchemy declares them, whoever declares them.

Models, core `Table(...)` objects and the operations of migrations all write `Column(...)`, `Index(...)` and
constraints; this module reads those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import msgspec

from fastapi_architect.appgraph import column_types
from fastapi_architect.appgraph.column_types import ColumnType
from fastapi_architect.appgraph.declarations import called, elements, flag, keyword
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, FunctionRef, Type, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir


class ForeignKey(msgspec.Struct, frozen=True):
    """A reference to another table.

    Attributes:
        columns: names of the referring columns.
        table: name of the table referred to, with its schema if one is given; "" when not known.
        target_columns: names of the columns referred to.
        ondelete: in capitals (`CASCADE`), None when absent.
        onupdate: likewise.
        name: of the constraint, or None.
        location: where.
    """

    columns: tuple[str, ...]
    table: str
    target_columns: tuple[str, ...]
    ondelete: str | None
    onupdate: str | None
    name: str | None
    location: Location


class Index(msgspec.Struct, frozen=True):
    """An index.

    Attributes:
        name: None when not given or not known.
        columns: column names in order; `lower(email)` for a function of a column, "?" for another expression.
        unique: it admits no repeats.
        where: expression of a partial index's predicate, or None.
        using: its method (`gin`, ...), or None.
        location: where.
    """

    name: str | None
    columns: tuple[str, ...]
    unique: bool
    where: ir.Expr | None
    using: str | None
    location: Location


class UniqueConstraint(msgspec.Struct, frozen=True):
    """A unique constraint over columns."""

    name: str | None
    columns: tuple[str, ...]
    location: Location


class CheckConstraint(msgspec.Struct, frozen=True):
    """A check; `condition` is its SQL when it is a constant."""

    name: str | None
    condition: str | None
    location: Location


class Column(msgspec.Struct, frozen=True):
    """One column.

    Attributes:
        attribute: name in Python ("" in a core table).
        name: name in the database.
        type: its type, None when not known.
        python_type: of `Mapped[...]` or the annotation; None when not declared.
        nullable: it may be NULL.
        primary_key: part of the primary key.
        unique: declared with `unique=True`.
        index: declared with `index=True`.
        default: expression of the Python-side default, or None.
        server_default: expression of the database's default, or None.
        onupdate: expression of the Python-side value on update, or None.
        server_onupdate: likewise in the database.
        foreign_keys: references declared on the column.
        autoincrement: as given; None when not given.
        generated: `Identity` or `Computed`: the database gives the value.
        deferred: loaded only when read.
        owner: class that declares it; None in a core table or migration.
        location: where.
        call: the `Column(...)`, `mapped_column(...)` or `Field(...)`, or None.
        scope: where `call` is to be read.
    """

    attribute: str
    name: str
    type: ColumnType | None
    python_type: Type | None
    nullable: bool
    primary_key: bool
    unique: bool
    index: bool
    default: ir.Expr | None
    server_default: ir.Expr | None
    onupdate: ir.Expr | None
    server_onupdate: ir.Expr | None
    foreign_keys: tuple[ForeignKey, ...]
    autoincrement: bool | None
    generated: bool
    deferred: bool
    owner: Class | None
    location: Location
    call: ir.Call | None
    scope: Scope


class Table(msgspec.Struct, frozen=True, dict=True):
    """A table as it stands in the code.

    Attributes:
        name: "" when it is computed and not known.
        schema: or None.
        columns: in order of declaration.
        indexes: `Index(...)` and columns with `index=True`.
        uniques: `UniqueConstraint(...)` and columns with `unique=True` (without `index=True`, as SQLAlchemy
            creates them).
        checks: check constraints.
        foreign_keys: of columns and of `ForeignKeyConstraint`.
        location: where.
        variable: name it is assigned to when it is a core table, else "".
        is_complete: False when something in it is not understood: there may be more.
    """

    name: str
    schema: str | None
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...]
    uniques: tuple[UniqueConstraint, ...]
    checks: tuple[CheckConstraint, ...]
    foreign_keys: tuple[ForeignKey, ...]
    location: Location
    variable: str = ""
    is_complete: bool = True

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by their name in the database."""
        return {column.name: column for column in self.columns}

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the primary key's columns."""
        return tuple(c.name for c in self.columns if c.primary_key)

    @property
    def full_name(self) -> str:
        """With its schema."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def leading_columns(self) -> tuple[tuple[str, ...], ...]:
        """Column lists by which the database can search: primary key, indexes without predicate, unique
        constraints.
        """
        found = [self.primary_key] if self.primary_key else []
        found += [index.columns for index in self.indexes if index.where is None]
        found += [unique.columns for unique in self.uniques]
        return tuple(found)

    def unique_sets(self) -> tuple[frozenset[str], ...]:
        """Sets of columns that the database keeps unique."""
        found = [frozenset(self.primary_key)] if self.primary_key else []
        found += [frozenset(i.columns) for i in self.indexes if i.unique and i.where is None]
        found += [frozenset(u.columns) for u in self.uniques]
        return tuple(found)


class TableItems(msgspec.Struct, frozen=True):
    """What stands in `__table_args__` or `Table(...)`; not complete when something is not understood."""

    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    uniques: tuple[UniqueConstraint, ...] = ()
    checks: tuple[CheckConstraint, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    primary_key: tuple[str, ...] = ()
    schema: str | None = None
    is_complete: bool = True


class TableReader:
    """Reads `Column(...)`, `Index(...)` and constraints of one program.

    Attributes:
        table_of_class: class to its table's name, given by the reader of models: `ForeignKey(User.id)` needs
            it.
    """

    def __init__(self, program: Program, bound: dict[str, Any] | None = None) -> None:
        """Read in `program`; `bound` holds values of names that the caller knows better, such as a loop's
        variable.
        """
        self.program = program
        self.bound = bound or {}
        self.table_of_class: dict[int, str] = {}

    def value(self, expr: ir.Expr | None, scope: Scope) -> Any:
        """A constant; `op.f("name")` and `conv("name")` are their argument."""
        if isinstance(expr, ir.Call) and last_name(expr.func) in ("f", "conv", "quoted_name") and expr.args:
            expr = expr.args[0]
        return self.program.constants.value(expr, scope, self.bound)

    def text(self, call: ir.Call, scope: Scope, *names: str) -> str | None:
        """A string keyword argument, None when absent or not known."""
        return self._text(keyword(call, *names), scope)

    def _text(self, expr: ir.Expr | None, scope: Scope) -> str | None:
        value = self.value(expr, scope) if expr is not None else None
        return value if isinstance(value, str) else None

    # ── columns ─────────────────────────────────────────────────────────────────────────────────────────────

    def column(
        self,
        call: ir.Call,
        scope: Scope,
        attribute: str = "",
        owner: Class | None = None,
        python_type: Type | None = None,
        location: Location | None = None,
        mapped: bool = False,
        defaults: Column | None = None,
    ) -> Column:
        """Read `Column(...)` or `mapped_column(...)`.

        Args:
            call: the call.
            scope: where it stands.
            attribute: name in Python.
            owner: the class that declares it.
            python_type: declared by an annotation, or None.
            location: of the declaration when it is not the call.
            mapped: `python_type` comes from `Mapped[...]` and decides about NULL.
            defaults: the column of `Annotated[...]` metadata, for what the call itself does not say.
        """
        program = self.program
        said = {each.arg: each.value for each in call.keywords}
        name, kind = self._positional(call, scope)
        if kind is None:
            kind = column_types.of_expression(program, said.get("type_"), scope)
        where = location or scope.location(call)
        name = (
            name
            or self._text(said.get("name"), scope)
            or (defaults.name if defaults and not attribute else attribute)
        )
        primary_key = self._flag(said.get("primary_key"), scope, bool(defaults and defaults.primary_key))
        made = [called(program, each, scope).name for each in call.args if each.__class__ is ir.Call]
        nullable = self._flag(said.get("nullable"), scope)
        if nullable is None:
            nullable = self._nullable(bool(primary_key), python_type, mapped, defaults, made)
        references = self._references(call, scope, name)
        return Column(
            attribute=attribute,
            name=name,
            type=kind
            or (defaults.type if defaults else None)
            or column_types.of_python_type(program, python_type),
            python_type=python_type,
            nullable=nullable,
            primary_key=bool(primary_key),
            unique=bool(self._flag(said.get("unique"), scope, bool(defaults and defaults.unique))),
            index=bool(self._flag(said.get("index"), scope, bool(defaults and defaults.index))),
            default=next((said[each] for each in said if each in _DEFAULTS), None)
            or (defaults.default if defaults else None),
            server_default=said.get("server_default") or (defaults.server_default if defaults else None),
            onupdate=said.get("onupdate") or (defaults.onupdate if defaults else None),
            server_onupdate=said.get("server_onupdate") or (defaults.server_onupdate if defaults else None),
            foreign_keys=references or (defaults.foreign_keys if defaults else ()),
            autoincrement=self._flag(said.get("autoincrement"), scope),
            generated="Identity" in made or "Computed" in made or bool(defaults and defaults.generated),
            deferred=bool(self._flag(said.get("deferred"), scope, default=False)),
            owner=owner,
            location=where,
            call=call,
            scope=scope,
        )

    def named_type(self, call: ir.Call, scope: Scope) -> ColumnType | None:
        """The type that `Column(...)` or `mapped_column(...)` itself names, None when it leaves that to others."""
        _, kind = self._positional(call, scope)
        return kind or column_types.of_expression(self.program, keyword(call, "type_"), scope)

    def _flag(self, expr: ir.Expr | None, scope: Scope, default: bool | None = None) -> bool | None:
        """What a boolean argument says: `default` when it is absent, None when not known."""
        value = self.program.constants.value(expr, scope) if expr is not None else None
        if value is None:
            return default
        return value if isinstance(value, bool) else None

    def _nullable(
        self,
        primary_key: bool,
        python_type: Type | None,
        mapped: bool,
        defaults: Column | None,
        made: list[str],
    ) -> bool:
        """Whether NULL is allowed when no argument says so; `made` names what is called among the arguments."""
        if primary_key or "Identity" in made:
            return False
        if (
            defaults is not None
            and defaults.call is not None
            and keyword(defaults.call, "nullable") is not None
        ):
            return defaults.nullable
        if mapped and python_type is not None:
            return column_types.is_optional(python_type)
        return True

    def _positional(self, call: ir.Call, scope: Scope) -> tuple[str, ColumnType | None]:
        """Name and type among the positional arguments."""
        name = ""
        for position, expr in enumerate(call.args):
            if position == 0:
                value = self.value(expr, scope)
                if isinstance(value, str):
                    name = value
                    continue
            if column_types.is_type_expression(self.program, expr, scope):
                kind = column_types.of_expression(self.program, expr, scope)
                if kind is not None and kind.name not in column_types.NOT_TYPES:
                    return name, kind
        return name, None

    def _references(self, call: ir.Call, scope: Scope, column: str) -> tuple[ForeignKey, ...]:
        found = []
        for expr in call.args:
            if expr.__class__ is ir.Constant:
                continue  # the name
            inner, where = self.program.inference.expand(expr, scope)
            if isinstance(inner, ir.Call) and called(self.program, inner, where).name == "ForeignKey":
                found.append(self.foreign_key(inner, where, column, scope.location(expr)))
        return tuple(found)

    def foreign_key(self, call: ir.Call, scope: Scope, column: str, location: Location) -> ForeignKey:
        """Read `ForeignKey(...)` of one column."""
        table, target = self.reference(argument(call, 0, "column"), scope)
        return ForeignKey(
            (column,),
            table,
            (target,) if target else (),
            _upper(self.text(call, scope, "ondelete")),
            _upper(self.text(call, scope, "onupdate")),
            self.text(call, scope, "name"),
            location,
        )

    def reference(self, expr: ir.Expr | None, scope: Scope) -> tuple[str, str]:
        """Table and column of `"users.id"` or `User.id`; "" for what is not known."""
        if expr is None:
            return "", ""
        value = self.value(expr, scope)
        if isinstance(value, str):
            table, _, column = value.rpartition(".")
            return table, column
        if isinstance(expr, ir.JoinedStr):
            return "", self._literal_tail(expr)
        if isinstance(expr, ir.Attribute):
            base = expr.value
            if isinstance(base, ir.Attribute) and base.attr in ("c", "columns"):
                return self._table_of(base.value, scope), expr.attr
            return self._table_of(base, scope), expr.attr
        return "", ""

    def _literal_tail(self, expr: ir.JoinedStr) -> str:
        last = expr.values[-1] if expr.values else None
        literal = last.value if isinstance(last, ir.Constant) and isinstance(last.value, str) else ""
        return literal.rpartition(".")[2] if "." in literal else ""

    def _table_of(self, expr: ir.Expr, scope: Scope) -> str:
        for of in options(self.program.inference.type_of(expr, scope)):
            if isinstance(of, ClassRef) and isinstance(of.cls, Class):
                return self.table_of_class.get(id(of.cls), "")
        inner, where = self.program.inference.expand(expr, scope)
        if isinstance(inner, ir.Call) and called(self.program, inner, where).name == "Table":
            return self.program.constants.string(argument(inner, 0, "name"), where) or ""
        return ""

    # ── indexes and constraints ─────────────────────────────────────────────────────────────────────────────

    def items(
        self, exprs: Iterable[ir.Expr], scope: Scope, names: dict[str, str] | None = None
    ) -> TableItems:
        """Read what stands in `__table_args__` or `Table(...)`.

        Args:
            exprs: the elements.
            scope: where they stand.
            names: attribute to column name, where they differ.
        """
        columns: list[Column] = []
        indexes: list[Index] = []
        uniques: list[UniqueConstraint] = []
        checks: list[CheckConstraint] = []
        references: list[ForeignKey] = []
        primary: tuple[str, ...] = ()
        schema = None
        complete = True
        for inner, where in self._flattened(exprs, scope, 0):
            if isinstance(inner, ir.Dict):
                value = self.program.constants.value(inner, where)
                schema = value.get("schema") if isinstance(value, dict) else None
                continue
            if not isinstance(inner, ir.Call):
                complete = False
                continue
            kind = called(self.program, inner, where).name
            if kind in ("Column", "mapped_column"):
                columns.append(self.column(inner, where))
            elif kind == "Index":
                indexes.append(self.index(inner, where, names))
            elif kind == "UniqueConstraint":
                uniques.append(self.unique(inner, where, names))
            elif kind == "CheckConstraint":
                checks.append(self.check(inner, where))
            elif kind == "ForeignKeyConstraint":
                references.append(self.foreign_key_constraint(inner, where))
            elif kind == "PrimaryKeyConstraint":
                primary = self._column_names(inner.args, where, names)
            elif kind not in _OTHER_ITEMS:
                complete = False
        known_schema = schema if isinstance(schema, str) else None
        return TableItems(
            tuple(columns),
            tuple(indexes),
            tuple(uniques),
            tuple(checks),
            tuple(references),
            primary,
            known_schema,
            complete,
        )

    def _flattened(
        self, exprs: Iterable[ir.Expr], scope: Scope, depth: int
    ) -> Iterator[tuple[ir.Expr, Scope]]:
        """The items behind names, `*timestamps()` and functions that return one item or a list of them."""
        for expr in exprs:
            inner, where = self.program.inference.expand(_unstarred(expr), scope)
            if isinstance(inner, ir.Sequence) and depth < 4:
                yield from self._flattened(inner.elts, where, depth + 1)
                continue
            returned = self._returned(inner, where) if isinstance(inner, ir.Call) and depth < 4 else None
            if returned is not None:
                yield from self._flattened([returned[0]], returned[1], depth + 1)
            else:
                yield inner, where

    def _returned(self, call: ir.Call, scope: Scope) -> tuple[ir.Expr, Scope] | None:
        """What the one `return` of a function of the program gives."""
        for of in options(self.program.inference.type_of(call.func, scope)):
            if isinstance(of, FunctionRef):
                sites = of.function.facts.sites(ir.Return)
                if len(sites) == 1 and sites[0].node.value is not None:
                    return sites[0].node.value, of.function
        return None

    def index(self, call: ir.Call, scope: Scope, names: dict[str, str] | None = None) -> Index:
        """Read `Index(name, *columns, ...)`."""
        program = self.program
        return Index(
            name if isinstance(name := self.value(argument(call, 0, "name"), scope), str) else None,
            self._column_names(call.args[1:], scope, names),
            flag(program, call, scope, "unique", default=False) is True,
            keyword(call, "postgresql_where", "sqlite_where"),
            self.text(call, scope, "postgresql_using", "mysql_using"),
            scope.location(call),
        )

    def unique(self, call: ir.Call, scope: Scope, names: dict[str, str] | None = None) -> UniqueConstraint:
        """Read `UniqueConstraint(*columns, name=...)`."""
        name = self.text(call, scope, "name")
        return UniqueConstraint(name, self._column_names(call.args, scope, names), scope.location(call))

    def check(self, call: ir.Call, scope: Scope) -> CheckConstraint:
        """Read `CheckConstraint(sql, name=...)`."""
        name = self.text(call, scope, "name")
        return CheckConstraint(name, self.sql_text(argument(call, 0, "sqltext"), scope), scope.location(call))

    def foreign_key_constraint(self, call: ir.Call, scope: Scope) -> ForeignKey:
        """Read `ForeignKeyConstraint([columns], [targets], ...)`."""
        targets = [self.reference(e, scope) for e in elements(argument(call, 1, "refcolumns"))]
        return ForeignKey(
            self._column_names(elements(argument(call, 0, "columns")), scope, None),
            next((table for table, _ in targets if table), ""),
            tuple(column for _, column in targets),
            _upper(self.text(call, scope, "ondelete")),
            _upper(self.text(call, scope, "onupdate")),
            self.text(call, scope, "name"),
            scope.location(call),
        )

    def sql_text(self, expr: ir.Expr | None, scope: Scope) -> str | None:
        """The SQL of a string or `text("...")`, None when it is not a constant."""
        if (
            isinstance(expr, ir.Call)
            and last_name(expr.func) in ("text", "literal_column", "DDL")
            and expr.args
        ):
            expr = expr.args[0]
        value = self.value(expr, scope)
        return value if isinstance(value, str) else None

    def _column_names(
        self, exprs: Iterable[ir.Expr], scope: Scope, names: dict[str, str] | None
    ) -> tuple[str, ...]:
        return tuple(self.index_column(expr, scope, names or {}) for expr in exprs)

    def index_column(self, expr: ir.Expr, scope: Scope, names: dict[str, str]) -> str:
        """A column's name, `lower(email)` for a function of one, "?" for anything else."""
        if isinstance(expr, ir.Constant) and isinstance(expr.value, str):
            return expr.value
        if isinstance(expr, ir.Name):
            value = self.value(expr, scope)
            return value if isinstance(value, str) and expr.id not in names else names.get(expr.id, expr.id)
        if isinstance(expr, ir.Attribute):
            return names.get(expr.attr, expr.attr)
        if isinstance(expr, ir.Call):
            function = last_name(expr.func)
            if function in ("desc", "asc", "nulls_first", "nulls_last", "nullsfirst", "nullslast"):
                inner = expr.func.value if isinstance(expr.func, ir.Attribute) else None
                if expr.args:
                    inner = expr.args[0]
                return self.index_column(inner, scope, names) if inner is not None else "?"
            if function in ("text", "literal_column", "column"):
                return _plain_sql(self.sql_text(argument(expr, 0, "text"), scope))
            if (
                len(expr.args) == 1
                and isinstance(expr.func, ir.Attribute)
                and last_name(expr.func.value) == "func"
            ):
                return f"{function}({self.index_column(expr.args[0], scope, names)})"
        return "?"


#: What gives a column its value in Python.
_DEFAULTS = frozenset({"default", "insert_default", "default_factory"})
#: Items of a table that say nothing here.
_OTHER_ITEMS = frozenset({"ExcludeConstraint", "Comment", "Identity", "Sequence", "DDL"})


def _upper(text: str | None) -> str | None:
    return text.upper() if text is not None else None


def _unstarred(expr: ir.Expr) -> ir.Expr:
    return expr.value if isinstance(expr, ir.Starred) else expr


def _plain_sql(sql: str | None) -> str:
    if sql is None:
        return "?"
    head, *rest = sql.split()
    return head if not rest or rest[0].upper() in ("DESC", "ASC", "NULLS") else "?"


def assemble(
    name: str, columns: Iterable[Column], items: TableItems, location: Location, variable: str = ""
) -> Table:
    """A table from its columns and the rest: indexes and constraints of columns joined to the table's."""
    from msgspec.structs import replace

    listed = [
        replace(c, primary_key=True, nullable=False) if c.name in items.primary_key else c for c in columns
    ]
    indexes = list(items.indexes)
    uniques = list(items.uniques)
    references = list(items.foreign_keys)
    for column in listed:
        if column.index:
            # `index=True, unique=True` is one unique index and no constraint.
            indexes.append(Index(None, (column.name,), column.unique, None, None, column.location))
        elif column.unique:
            uniques.append(UniqueConstraint(None, (column.name,), column.location))
        references += column.foreign_keys
    return Table(
        name,
        items.schema,
        tuple(listed),
        tuple(indexes),
        tuple(uniques),
        items.checks,
        tuple(references),
        location,
        variable,
        items.is_complete,
    )
