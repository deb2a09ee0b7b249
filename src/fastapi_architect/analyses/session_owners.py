"""Whose database session is this: one that the function opened itself, or the one that it was given?

A function is given a session by a parameter, by `self`, by a closure or by a module; it opens one by a factory, an engine
or a context manager, and gives it a local name. Two sessions that a function is given are not told apart: within one request
they are nearly always the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.concepts.database import (
    Commit,
    ConnectionOpen,
    DatabaseCall,
    SessionCreation,
    TransactionBegin,
)
from fastapi_architect.program.definitions import Binding, Class, Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir

#: The session that a function was given by its caller, its object or its module.
GIVEN = ""

_WORDS = frozenset(
    {"session", "sess", "s", "db", "dbsession", "conn", "connection", "uow", "transaction", "tx"}
)
_ENDS = ("__exit__", "__aexit__")
#: Names of context managers and decorators of unknown origin that end a transaction.
_COMMITTING = (
    "transaction", "atomic", "begin", "unit_of_work", "uow", "commit", "with_session", "in_session", "provide_session",
)  # fmt: skip
_MAX_ALIASES = 6
_OPENERS = (ir.Call, ir.Await, ir.Attribute)
_BINDINGS = ("with", "assign", "annotated", "loop")


class LocalSession(msgspec.Struct, frozen=True, eq=False):
    """A session or connection that a function opens.

    Attributes:
        name: the local name.
        binding: where it gets the name.
        opened: the call that opens it; None when it is entered without one.
        ends: "open" when what is written is lost unless somebody commits; "commits" when its end commits; "unknown".
        sure: recognised by its type.
        connection: a connection of the core, no session of the ORM.
    """

    name: str
    binding: Binding
    opened: ir.Expr | None
    ends: str
    sure: bool
    connection: bool = False


@question
def _ending_scopes(graph: AppGraph) -> frozenset[int]:
    """Bodies that commit, or that open a transaction which commits at its end."""
    begins = (b for b in graph.facts(TransactionBegin) if not b.nested)
    found = {id(begin.scope) for begin in begins}
    found.update(graph.scopes_with(Commit))
    for function in graph.program.functions:
        if any("commit" in name for name in function.node.called):
            found.add(id(function))
    return frozenset(found)


@question_about
def may_commit(graph: AppGraph, function: Function) -> bool:
    """The function, or something that it calls, commits a transaction; whose is not asked."""
    reached, complete = effects(graph).reached([function])
    ending = _ending_scopes(graph)
    return not complete or any(id(each) in ending for each in reached)


@question_about
def is_committing_decorator(graph: AppGraph, function: Function) -> bool:
    """A decorator of the function ends the transaction: one of the program that commits, or one whose name says so."""
    for decorator in function.node.decorators:
        expr = decorator.func if isinstance(decorator, ir.Call) else decorator
        name = last_name(expr)
        if any(word in name for word in _COMMITTING):
            return True
        for of in options(graph.program.inference.type_of(expr, function.parent or function.module)):
            if any(may_commit(graph, each) for each in graph.program.calls.functions_behind(of)):
                return True
    return False


@question
def _openings(graph: AppGraph) -> dict[int, DatabaseCall]:
    """Calls that open a session, connection or transaction, by the identity of their node."""
    kinds: tuple[type[DatabaseCall], ...] = (SessionCreation, ConnectionOpen, TransactionBegin)
    return {id(each.node): each for kind in kinds for each in graph.facts(kind)}


@question_about
def local_sessions(graph: AppGraph, function: Function) -> dict[str, LocalSession]:
    """Sessions that a function opens, by their local name."""
    reader = _Reader(graph, function)
    found = {}
    for name, bindings in function.facts.bindings.items():
        for binding in bindings:
            if binding.value.__class__ in _OPENERS and binding.kind in _BINDINGS and not binding.path:
                session = reader.opened(name, binding)
                if session is not None:
                    found[name] = session
                    break
    return found


class _Reader:
    """Reads the sessions of one function."""

    def __init__(self, graph: AppGraph, function: Function) -> None:
        self._graph = graph
        self._function = function
        self._openings = _openings(graph)

    def opened(self, name: str, binding: Binding) -> LocalSession | None:
        """The session that a binding opens, or None."""
        found = self._opened(name, binding)
        if found is not None and found.ends == "open" and self._commits_statements:
            return replace(found, ends="commits")
        return found

    @cached_property
    def _commits_statements(self) -> bool:
        """Some connection of the function is set to commit every statement."""
        return any(
            self._graph.program.constants.value(keyword.value, self._function) == "AUTOCOMMIT"
            for site in self._function.facts.calls_named("execution_options")
            for keyword in site.node.keywords
        )

    def _opened(self, name: str, binding: Binding) -> LocalSession | None:
        value = _unwrapped(binding.value)
        call = self._openings.get(id(value))
        if isinstance(call, TransactionBegin):
            if not call.opens:
                return None  # `with session.begin() as transaction`: of a session that is there
            return LocalSession(name, binding, value, "commits", call.sure, connection="Engine" in call.name)
        if isinstance(call, SessionCreation):
            return LocalSession(name, binding, value, self._end_of_class(value), call.sure)
        if isinstance(call, ConnectionOpen) and last_name(call.node.func) == "connection":
            return None  # `session.connection()` is part of the session
        if isinstance(call, ConnectionOpen):
            sqlalchemy = call.name.startswith("sqlalchemy")
            return LocalSession(
                name, binding, value, "open" if sqlalchemy else "unknown", call.sure, connection=True
            )
        if binding.kind in ("with", "loop") or _is_next(value):
            return self._entered(name, binding, value)
        return None

    def _end_of_class(self, value: ir.Expr | None) -> str:
        """A session class of the program may commit when it is closed."""
        for of in options(self._graph.program.inference.type_of(value, self._function)):
            if isinstance(of, Instance) and isinstance(of.cls, Class):
                return "commits" if any(n in of.cls.methods for n in (*_ENDS, "close")) else "open"
        return "open"

    def _entered(self, name: str, binding: Binding, value: ir.Expr | None) -> LocalSession | None:
        """`with session_scope() as session`, `async for session in get_session()`, `session = next(get_session())`."""
        if not is_session_name(name):
            return None
        inner = _unwrapped(value.args[0]) if _is_next(value) and isinstance(value, ir.Call) else value
        if isinstance(inner, ir.Call) and any(is_session_name(last_name(each)) for each in inner.args):
            return None  # `with existing_or_new(session) as session`
        targets = entered_functions(self._graph, self._function, inner)
        if not targets or any(_enters_unknown(self._graph, each) for each in targets):
            return LocalSession(name, binding, inner, "unknown", sure=False)
        commits = any(may_commit(self._graph, each) for each in targets)
        return LocalSession(
            name, binding, inner, "commits" if commits else "open", sure=self._is_session(binding)
        )

    def _is_session(self, binding: Binding) -> bool:
        of = self._graph.program.inference.binding_type(binding, self._function)
        return any(isinstance(each, Instance) and is_session_type(self._graph, each) for each in options(of))


def is_session_name(name: str) -> bool:
    """`session`, `db`, `read_session`, `conn`: what people call a session."""
    return not _WORDS.isdisjoint(name.lower().split("_"))


def is_session_type(graph: AppGraph, of: Instance) -> bool:
    """A session or connection of SQLAlchemy or SQLModel, or a class of the program made of one."""
    for each in graph.program.inference.hierarchy.order(of.cls):
        if isinstance(each.cls, str):
            package, last = each.cls.partition(".")[0], each.cls.rpartition(".")[2]
            if package in ("sqlalchemy", "sqlmodel") and last.lower().endswith(("session", "connection")):
                return True
    return False


def is_async_session(graph: AppGraph, function: Function, session: ir.Expr | None) -> bool:
    """Its methods are awaited: by its type, else because some call of the function on a session is."""
    found = options(graph.program.inference.type_of(session, function)) if session is not None else ()
    names = [of.name.rpartition(".")[2].lower() for of in found if isinstance(of, Instance)]
    if any("async" in name for name in names):
        return True
    sync = any(name in ("session", "connection") for name in names)
    return not sync and any(call.is_async for call in graph.within(DatabaseCall, function))


def entered_functions(graph: AppGraph, function: Function, value: ir.Expr | None) -> list[Function]:
    """Functions of the program that run when a context manager is entered and left, or a generator is looped over."""
    found: list[Function] = []
    if isinstance(value, ir.Call):
        for of in options(graph.program.inference.type_of(value.func, function)):
            found += graph.program.calls.functions_behind(of)
    found = [each for each in found if each.name != "__init__"]
    for of in options(graph.program.inference.type_of(value, function)) if value is not None else ():
        if isinstance(of, Instance) and isinstance(of.cls, Class):
            for name in _ENDS:
                member = graph.program.inference.hierarchy.member(of.cls, name)
                if member is not None and member.function is not None:
                    found.append(member.function)
            for cls in graph.program.inference.hierarchy.subclasses(of.cls):
                found += [cls.methods[name] for name in _ENDS if name in cls.methods]
    return found


@question_about
def _enters_unknown(graph: AppGraph, function: Function) -> bool:
    """A factory that hands out what a callable of unknown body makes, and that may commit: `return self._session_scope()`."""
    if function.is_generator or function.name in _ENDS:
        return False
    inference = graph.program.inference
    for site in function.facts.sites(ir.Return):
        value = _unwrapped(site.node.value)
        if not isinstance(value, ir.Call) or id(value) in _openings(graph):
            continue
        given = [of for of in options(inference.type_of(value, function)) if isinstance(of, Instance)]
        is_session = any(is_session_type(graph, of) for of in given)
        if not is_session and not entered_functions(graph, function, value):
            return True
    return False


def ends_transaction(graph: AppGraph, site: Site, item: ir.WithItem) -> bool:
    """Leaving a `with` commits: `session.begin()`, a context manager of the program that does, or one named so."""
    value = _unwrapped(item.context)
    call = _openings(graph).get(id(value))
    if isinstance(call, TransactionBegin):
        return not call.nested
    if call is not None:
        return False
    function = site.scope
    if not isinstance(function, Function):
        return False
    targets = entered_functions(graph, function, value)
    if targets:
        return any(may_commit(graph, each) for each in targets)
    name = last_name(value.func if isinstance(value, ir.Call) else value) if value is not None else ""
    return any(word in name.lower() for word in _COMMITTING)


def owner_of(graph: AppGraph, function: Function, expr: ir.Expr | None, depth: int = 0) -> str:
    """The local name of the session that an expression is, or is made of; `GIVEN` for one that comes from outside."""
    locals_ = local_sessions(graph, function)
    if not locals_:
        return GIVEN
    root = _root(expr)
    if root is None or depth > _MAX_ALIASES:
        return GIVEN
    if root.id in locals_:
        return root.id
    for binding in function.facts.bindings.get(root.id, ()):
        if binding.kind in ("assign", "annotated", "walrus", "with") and binding.value is not None:
            value = _unwrapped(binding.value)
            made_of: Iterable[ir.Expr | None] = (value,)
            if isinstance(value, ir.Call):  # `repository = OrderRepository(session)`
                made_of = (value.func, *value.args, *(k.value for k in value.keywords))
            for part in made_of:
                found = owner_of(graph, function, part, depth + 1)
                if found != GIVEN:
                    return found
    return GIVEN


def owner_of_call(graph: AppGraph, function: Function, call: ir.Call) -> str:
    """The session that a called function works with: one that it is handed, or that its object was made of."""
    locals_ = local_sessions(graph, function)
    if not locals_:
        return GIVEN
    current: ir.Expr | None = call
    while current is not None:  # `OrderService(session).place(order)`
        if isinstance(current, ir.Call):
            for part in (*current.args, *(k.value for k in current.keywords)):
                found = owner_of(graph, function, part)
                if found != GIVEN:
                    return found
            current = current.func
        elif isinstance(current, ir.Attribute | ir.Await):
            current = current.value
        else:
            return owner_of(graph, function, current)
    return GIVEN


def _root(expr: ir.Expr | None) -> ir.Name | None:
    """`session` of `session.query(User).filter(...)`."""
    while True:
        if isinstance(expr, ir.Name):
            return expr
        if isinstance(expr, ir.Attribute | ir.Await | ir.Subscript):
            expr = expr.value
        elif isinstance(expr, ir.Call):
            expr = expr.func
        else:
            return None


def _unwrapped(expr: ir.Expr | None) -> ir.Expr | None:
    """Without `await`, `closing(...)` and `anext(...)` around it."""
    while True:
        if isinstance(expr, ir.Await):
            expr = expr.value
        elif isinstance(expr, ir.Call) and last_name(expr.func) in ("closing", "aclosing") and expr.args:
            expr = expr.args[0]
        else:
            return expr


def _is_next(value: ir.Expr | None) -> bool:
    return (
        isinstance(value, ir.Call)
        and last_name(value.func) in ("next", "anext", "__next__", "__anext__")
        and bool(value.args)
    )
