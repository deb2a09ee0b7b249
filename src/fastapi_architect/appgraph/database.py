"""The database as the application uses it: tables, engines, session factories and session dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.database_urls import DatabaseUrl, UrlReader
from fastapi_architect.appgraph.declarations import called, constant_keyword, keyword, origin
from fastapi_architect.appgraph.models import Model, ModelReader, read_table
from fastapi_architect.appgraph.tables import Index, Table, TableReader
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Module, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, Instance, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

PartT = TypeVar("PartT")

_ENGINE_CALLS = (
    "create_engine",
    "create_async_engine",
    "engine_from_config",
    "async_engine_from_config",
    "AsyncEngine",
)
_FACTORY_CALLS = ("sessionmaker", "async_sessionmaker", "scoped_session", "async_scoped_session")
_SESSIONS = frozenset({"Session", "AsyncSession", "scoped_session", "async_scoped_session"})
_POOL_OPTIONS = frozenset(
    [
        "pool_size",
        "max_overflow",
        "pool_timeout",
        "pool_recycle",
        "pool_pre_ping",
        "poolclass",
        "pool_use_lifo",
        "echo",
        "echo_pool",
        "future",
        "isolation_level",
        "connect_args",
        "execution_options",
        "hide_parameters",
    ]
)


class Engine(msgspec.Struct, frozen=True):
    """A call that makes an engine.

    Attributes:
        url: what is known of the address.
        url_expression: as written, or None.
        is_async: made by `create_async_engine` or the like.
        options: keyword to constant, `UNKNOWN` when it is not one; `poolclass` is the class's name.
        function: the function that makes it; None at module or class level.
        variable: name it is assigned to, "" when none.
        site: the call.
        location: where.
    """

    url: DatabaseUrl
    url_expression: ir.Expr | None
    is_async: bool
    options: dict[str, Any]
    function: Function | None
    variable: str
    site: Site
    location: Location

    @property
    def connections(self) -> int | None:
        """Most connections one process opens: pool and overflow; None without limit or when not known."""
        if self.options.get("poolclass") in ("NullPool", "StaticPool"):
            return None if self.options["poolclass"] == "NullPool" else 1
        size = self.options.get("pool_size", 5)
        overflow = self.options.get("max_overflow", 10)
        if not isinstance(size, int) or not isinstance(overflow, int) or overflow < 0 or size == 0:
            return None
        return size + overflow


class SessionFactory(msgspec.Struct, frozen=True):
    """A call that makes a session factory.

    Attributes:
        is_async: it makes asynchronous sessions.
        scoped: wrapped by `scoped_session`.
        expire_on_commit: True unless switched off; None when not known.
        autoflush: likewise.
        bind: expression of the engine, or None.
        variable: name it is assigned to, "" when none.
        function: the function that makes it; None at module or class level.
        site: the call.
        location: where.
    """

    is_async: bool
    scoped: bool
    expire_on_commit: bool | None
    autoflush: bool | None
    bind: ir.Expr | None
    variable: str
    function: Function | None
    site: Site
    location: Location


class SessionProvider(msgspec.Struct, frozen=True):
    """A function that gives out a session.

    Attributes:
        function: the function or method.
        is_async: the session is asynchronous.
        yields: it is a generator, with code behind the `yield`; otherwise it returns the session.
        commits: it commits itself, by a call or by `begin()`.
        rolls_back: it calls `rollback`.
        closes: the session is closed when it is done: `with`, `close()`.
        swallows: an `except` around the `yield` that does not raise again.
        location: where.
    """

    function: Function
    is_async: bool
    yields: bool
    commits: bool
    rolls_back: bool
    closes: bool
    swallows: bool
    location: Location


class Database(msgspec.Struct, frozen=True, dict=True):
    """All of it.

    Attributes:
        models: mapped classes.
        tables: every table once by name: of models, with columns of single-table subclasses, and core
            tables; those that only tests declare left out.
        engines: in order of files.
        session_factories: likewise.
        session_providers: likewise.
    """

    models: tuple[Model, ...]
    tables: tuple[Table, ...]
    engines: tuple[Engine, ...]
    session_factories: tuple[SessionFactory, ...]
    session_providers: tuple[SessionProvider, ...]

    @cached_property
    def model_of(self) -> dict[int, Model]:
        """Models by the identity of their class."""
        return {id(model.cls): model for model in self.models}

    @cached_property
    def table_named(self) -> dict[str, Table]:
        """Tables by name, with their schema if they have one."""
        return {table.full_name: table for table in self.tables}

    def model(self, cls: Class) -> Model | None:
        """The model that a class is, or None."""
        return self.model_of.get(id(cls))


def find_database(program: Program) -> Database:
    """Everything about the database in the code."""
    reader = ModelReader(program)
    models = reader.models()
    factories = find_session_factories(program)
    return Database(
        models,
        tuple(_tables(program, reader.reader, models)),
        find_engines(program),
        factories,
        find_session_providers(program, factories),
    )


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────


def _tables(program: Program, reader: TableReader, models: tuple[Model, ...]) -> Iterator[Table]:
    found: dict[str, Table] = {}
    extra = _detached_indexes(program, reader)
    in_tests_only = all(model.cls.module.kind == "test" for model in models)
    for model in models:
        if model.cls.module.kind == "test" and not in_tests_only:
            continue  # a test's own `users` is not the application's
        key = model.table.full_name
        if not model.table.name:
            yield model.table
            continue
        found[key] = _merged(found[key], model.table) if key in found else model.table
    for table in find_core_tables(program, reader):
        found.setdefault(table.full_name, table)
    for name, table in found.items():
        more = extra.get(name)
        yield replace(table, indexes=(*table.indexes, *more)) if more else table


def _merged(left: Table, right: Table) -> Table:
    """One table from two classes on it (single-table inheritance, or several mappings)."""
    return replace(
        left,
        columns=(*left.columns, *(c for c in right.columns if c.name not in left.by_name)),
        indexes=_together(left.indexes, right.indexes),
        uniques=_together(left.uniques, right.uniques),
        checks=_together(left.checks, right.checks),
        foreign_keys=_together(left.foreign_keys, right.foreign_keys),
    )


def _together(left: tuple[PartT, ...], right: tuple[PartT, ...]) -> tuple[PartT, ...]:
    """Both without repeats. Not by hash: the predicate of a partial index is a tree with lists in it."""
    return (*left, *(part for part in right if part not in left))


def find_core_tables(program: Program, reader: TableReader | None = None) -> tuple[Table, ...]:
    """`Table("name", metadata, ...)` objects, in order of files; those of migrations left out."""
    reader = reader or TableReader(program)
    found = []
    for site in program.call_sites_named("Table"):
        of = origin(program, site.node.func, site.scope)
        if of.package not in ("sqlalchemy", "sqlmodel", "") or site.scope.module.kind in (
            "migration",
            "test",
        ):
            continue
        if len(site.node.args) < 2 or isinstance(site.scope, Function):
            continue  # `Table("x", metadata, autoload_with=...)` inside a function describes nothing here
        found.append(
            read_table(reader, site.node, site.scope, site.scope.location(site.node), assigned_name(site))
        )
    return tuple(found)


def _detached_indexes(program: Program, reader: TableReader) -> dict[str, list[Index]]:
    """`Index("ix", User.email)` outside of `__table_args__`, by table."""
    found: dict[str, list[Index]] = {}
    for site in program.call_sites_named("Index"):
        if not isinstance(site.scope, Module) or site.scope.kind == "migration":
            continue
        if not origin(program, site.node.func, site.scope).is_one_of("sqlalchemy", "Index"):
            continue
        table = ""
        for expr in site.node.args[1:]:
            while isinstance(expr, ir.Call) and (expr.args or isinstance(expr.func, ir.Attribute)):
                expr = expr.args[0] if expr.args else expr.func.value  # type: ignore[union-attr]
            if isinstance(expr, ir.Attribute):
                table = reader.reference(expr, site.scope)[0]
                break
        inside = site.context.parent is not None and not isinstance(site.statement, ir.ExprStmt | ir.Assign)
        if table and not inside:
            found.setdefault(table, []).append(reader.index(site.node, site.scope))
    return found


def assigned_name(site: Site) -> str:
    """`engine` in `engine = create_engine(...)` or `self.engine = ...`; "" when the call is not assigned."""
    statement = site.statement
    if isinstance(statement, ir.Assign) and statement.value is site.node:
        return last_name(statement.targets[0])
    if isinstance(statement, ir.AnnAssign) and statement.value is site.node:
        return last_name(statement.target)
    return ""


# ── engines ─────────────────────────────────────────────────────────────────────────────────────────────────


def find_engines(program: Program) -> tuple[Engine, ...]:
    """Calls that make engines, in order of files."""
    urls = UrlReader(program)
    found = [
        _engine(program, urls, site)
        for name in _ENGINE_CALLS
        for site in program.call_sites_named(name)
        if origin(program, site.node.func, site.scope).package in ("sqlalchemy", "sqlmodel", "")
    ]
    return tuple(sorted(found, key=lambda engine: engine.location))


def _engine(program: Program, urls: UrlReader, site: Site) -> Engine:
    call, scope = site.node, site.scope
    url = argument(call, 0, "url")
    given = {k.arg: k.value for k in call.keywords if k.arg is not None}
    for each in call.keywords:
        if each.arg is None:  # `create_engine(url, **options)`
            table, where = program.inference.expand(each.value, scope)
            known = program.constants.value(table, where)
            given |= _entries(table) if isinstance(known, dict) else {}
    found = {name: _option(program, expr, scope) for name, expr in given.items() if name in _POOL_OPTIONS}
    name = last_name(call.func)
    return Engine(
        url=urls.url(url, scope),
        url_expression=url,
        is_async=name.lower().startswith("async") or name == "create_async_engine",
        options=found,
        function=scope if isinstance(scope, Function) else None,
        variable=assigned_name(site),
        site=site,
        location=scope.location(call),
    )


def _entries(table: ir.Expr) -> dict[str, ir.Expr]:
    if not isinstance(table, ir.Dict):
        return {}
    pairs = zip(table.keys, table.values, strict=True)
    return {str(key.value): value for key, value in pairs if isinstance(key, ir.Constant)}


def _option(program: Program, expr: ir.Expr, scope: Scope) -> Any:
    value = program.constants.value(expr, scope)
    if value is UNKNOWN:
        for of in options(program.inference.type_of(expr, scope)):
            if isinstance(of, ClassRef):
                return of.name.rpartition(".")[2]
        if last_name(expr).endswith("Pool"):
            return last_name(expr)
    return value


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────


def find_session_factories(program: Program) -> tuple[SessionFactory, ...]:
    """Calls that make session factories, in order of files; a factory inside `scoped_session(...)` once."""
    sites = [
        site
        for name in _FACTORY_CALLS
        for site in program.call_sites_named(name)
        if origin(program, site.node.func, site.scope).package in ("sqlalchemy", "sqlmodel", "")
    ]
    wrapped = {
        id(argument(s.node, 0, "session_factory")) for s in sites if "scoped" in last_name(s.node.func)
    }
    found = [_factory(program, site) for site in sites if id(site.node) not in wrapped]
    return tuple(sorted(found, key=lambda factory: factory.location))


def _factory(program: Program, site: Site) -> SessionFactory:
    call, scope = site.node, site.scope
    scoped = "scoped" in last_name(call.func)
    where: Scope = scope
    if scoped:
        inner = argument(call, 0, "session_factory")
        expanded, where = program.inference.expand(inner, scope) if inner is not None else (call, scope)
        call = expanded if isinstance(expanded, ir.Call) else call
    name = called(program, call, where).name
    made = keyword(call, "class_")
    is_async = name.startswith("async") or (made is not None and "Async" in last_name(made))
    return SessionFactory(
        is_async=is_async or last_name(site.node.func).startswith("async"),
        scoped=scoped,
        expire_on_commit=_switch(program, call, where, "expire_on_commit"),
        autoflush=_switch(program, call, where, "autoflush"),
        bind=keyword(call, "bind") or (call.args[0] if call.args and not scoped else None),
        variable=assigned_name(site),
        function=scope if isinstance(scope, Function) else None,
        site=site,
        location=site.scope.location(site.node),
    )


def _switch(program: Program, call: ir.Call, scope: Scope, name: str) -> bool | None:
    value = constant_keyword(program, call, scope, name)
    return True if value is None else value if isinstance(value, bool) else None


def find_session_providers(
    program: Program, factories: Iterable[SessionFactory] = ()
) -> tuple[SessionProvider, ...]:
    """Functions that yield or return a session they have made, in order of files."""
    variables = {factory.variable for factory in factories if factory.variable}
    scopes: dict[int, Function] = {
        id(f): f for f in program.functions if f.is_generator and _may_give(f, variables)
    }
    for name in sorted({*variables, "Session", "AsyncSession", "begin", "session"}):
        for scope in program.scopes_calling(name):
            if isinstance(scope, Function):
                scopes[id(scope)] = scope
    found = [p for function in scopes.values() if (p := _provider(program, function, variables)) is not None]
    return tuple(sorted(found, key=lambda provider: provider.location))


def _may_give(function: Function, variables: set[str]) -> bool:
    """A generator whose return annotation or calls speak of sessions: the others are not looked into."""
    returns = function.node.returns
    words = [last_name(e) for e in _inside(returns)] if returns is not None else []
    return any("ession" in word for word in (*words, *function.node.called)) or bool(
        variables & set(function.node.called)
    )


def _inside(expr: ir.Expr) -> Iterator[ir.Expr]:
    yield expr
    if isinstance(expr, ir.Subscript):
        for part in expr.slice.elts if isinstance(expr.slice, ir.Sequence) else [expr.slice]:
            yield from _inside(part)


def _provider(program: Program, function: Function, variables: set[str]) -> SessionProvider | None:
    if function.has_decorator("fixture"):
        return None
    given = function.facts.sites(ir.Yield) if function.is_generator else function.facts.sites(ir.Return)
    kinds = [k for s in given if (k := _session_kind(program, s.node.value, function, variables)) is not None]
    if not kinds:
        return None
    calls = {last_name(s.node.func) for s in function.facts.calls}
    yielded = given[0]
    handler = yielded.context.inside("try")
    return SessionProvider(
        function=function,
        is_async=kinds[0] == "async",
        yields=function.is_generator,
        commits="commit" in calls or "begin" in calls,
        rolls_back="rollback" in calls,
        closes=yielded.context.inside("with") is not None or bool(calls & {"close", "aclose", "remove"}),
        swallows=function.is_generator and _swallows(handler.node if handler is not None else None),
        location=function.location(),
    )


def _session_kind(
    program: Program, expr: ir.Expr | None, function: Function, variables: set[str]
) -> str | None:
    """sync or async when `expr` is a session made in this function, else None."""
    if not isinstance(expr, ir.Name | ir.Call):
        return None
    made: ir.Expr | None = expr
    if isinstance(expr, ir.Name):
        bindings = function.facts.bindings.get(expr.id, [])
        made = next(
            (b.value for b in bindings if b.kind in ("assign", "annotated", "with") and b.value is not None),
            None,
        )
        if made is None:
            return None
    types = list(options(program.inference.type_of(expr, function)))
    for of in types:
        if isinstance(of, Instance) and _is_session(program, of):
            return "async" if "async" in of.name.rpartition(".")[2].lower() else "sync"
    if any(isinstance(of, Instance) and "()" not in of.name for of in types):
        return None  # it is something else: boto3 has sessions too
    for each in _inside(function.node.returns) if function.node.returns is not None else ():
        if last_name(each) in _SESSIONS and isinstance(made, ir.Call):
            return "async" if last_name(each).lower().startswith("async") else "sync"
    name = last_name(made.func) if isinstance(made, ir.Call) else ""
    if name == "begin" and isinstance(made, ir.Call) and isinstance(made.func, ir.Attribute):
        name = last_name(made.func.value)
    if name in variables or name in _SESSIONS:
        return "async" if function.is_async or name.lower().startswith("async") else "sync"
    return None


def _is_session(program: Program, of: Instance) -> bool:
    names = [e.cls for e in program.inference.hierarchy.order(of.cls) if isinstance(e.cls, str)]
    return any(
        name.partition(".")[0] in ("sqlalchemy", "sqlmodel") and name.rpartition(".")[2] in _SESSIONS
        for name in names
    )


def _swallows(node: ir.Node | None) -> bool:
    """An `except` clause of this `try` neither raises nor ends the generator's caller in an error."""
    if not isinstance(node, ir.Try):
        return False
    return any(not _raises(handler.body) for handler in node.handlers)


def _raises(body: list[ir.Stmt]) -> bool:
    for statement in body:
        if isinstance(statement, ir.Raise):
            return True
        if isinstance(statement, ir.If) and (_raises(statement.body) or _raises(statement.orelse)):
            return True
        if isinstance(statement, ir.With) and _raises(statement.body):
            return True
    return False
