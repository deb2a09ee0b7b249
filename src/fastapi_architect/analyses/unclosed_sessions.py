"""Which sessions and connections does a function open and not give back, on every way or when something fails?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.database import ConnectionOpen, DatabaseCall, SessionCreation
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, Instance, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Methods that give a session or connection back, called on it or with it.
_CLOSES = (
    "close",
    "aclose",
    "release",
    "putconn",
    "remove",
    "terminate",
    "__exit__",
    "__aexit__",
    "invalidate",
)
_CLOSING = frozenset({"close", "aclose", "release"})
#: Calls that take over what they are given: it is closed, or kept, by somebody else.
_TAKES = frozenset(
    {
        "enter_context",
        "enter_async_context",
        "push",
        "push_async_exit",
        "callback",
        "closing",
        "aclosing",
        "finalize",
    }
    | {"set", "append", "put", "register", "setdefault", "addfinalizer", "add_finalizer"}
)
_ADVANCES = ("next", "anext", "__next__", "__anext__")


class Unclosed(msgspec.Struct, frozen=True, eq=False):
    """A session or connection that is not given back.

    Attributes:
        site: the call that opens it.
        name: its local name; "" when it is returned at once.
        function: the function that opens it.
        call: the concept; None for `next(get_session())`.
        how: "never" (nothing closes it), "errors" (an exception gets past the close), "dependency" (a dependency returns it, and
            nobody is told to close it) or "generator" (the generator that would close it is thrown away).
        sure: recognised by its type.
        close: the close that an exception gets past; None for the others.
    """

    site: Site
    name: str
    function: Function
    call: DatabaseCall | None
    how: str
    sure: bool
    close: Site | None = None


@question
def unclosed_sessions(graph: AppGraph) -> tuple[Unclosed, ...]:
    """All of them, in order of kinds and places."""
    return (*_opened(graph), *_advanced(graph))


def _opened(graph: AppGraph) -> Iterator[Unclosed]:
    kinds: tuple[type[DatabaseCall], ...] = (SessionCreation, ConnectionOpen)
    for kind in kinds:
        for call in graph.facts(kind):
            function = call.function
            if function is None or function.module.kind != "source" or _is_managed(call, graph):
                continue
            if call.site.statement.__class__ is ir.Return and _value(call.site.statement) is call.node:
                if _is_dependency(graph, function):
                    yield Unclosed(call.site, "", function, call, "dependency", call.sure)
                continue
            name = _target(call.site)
            if name and not _escapes(graph, function, name):
                yield from _of_name(graph, call.site, name, call, sure=call.sure)


def _is_managed(call: DatabaseCall, graph: AppGraph) -> bool:
    """In a `with`, part of another session, or of a registry that removes it."""
    if getattr(call, "managed", False) or call.site.context.inside("with-item", "lambda") is not None:
        return True
    if isinstance(call, ConnectionOpen):
        return last_name(call.node.func) == "connection"
    of = graph.program.inference.type_of(call.session, call.scope) if call.session is not None else None
    return any("scoped" in of.name for of in options(of) if isinstance(of, Instance))


def _is_dependency(graph: AppGraph, function: Function) -> bool:
    """Operations get the session from it, and close nothing."""
    operations = [o for o in graph.operations_running(function) if o.handler is not function]
    return bool(operations) and not any(
        "close" in each.node.called for operation in operations for each in operation.functions
    )


def _value(statement: ir.Stmt) -> ir.Expr | None:
    value: ir.Expr | None = getattr(statement, "value", None)
    return value.value if isinstance(value, ir.Await) else value


def _target(site: Site) -> str:
    """`session` of `session = SessionLocal()`."""
    statement = site.statement
    if _value(statement) is not site.node:
        return ""
    if (
        isinstance(statement, ir.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ir.Name)
    ):
        return statement.targets[0].id
    if isinstance(statement, ir.AnnAssign) and isinstance(statement.target, ir.Name):
        return statement.target.id
    return ""


def _of_name(
    graph: AppGraph, site: Site, name: str, call: DatabaseCall | None, *, sure: bool
) -> Iterator[Unclosed]:
    function = site.scope
    assert isinstance(function, Function)
    closes = [each for each in function.facts.calls if _is_about(each.node, name) and _is_close(graph, each)]
    if not closes:
        how = "never" if call is not None else "generator"
        yield Unclosed(site, name, function, call, how, sure)
    elif not any(each.context.inside("finally", "loop", "with") for each in closes):
        handled = any(each.context.inside("handler") for each in closes)
        if not handled and call is not None:
            yield Unclosed(site, name, function, call, "errors", sure, closes[0])


def _is_close(graph: AppGraph, site: Site) -> bool:
    """`session.close()`, `pool.release(connection)`, or a function of the program that closes what it is given."""
    name = last_name(site.node.func)
    if name in _CLOSES or "close" in name:
        return True
    return any(not _CLOSING.isdisjoint(each.node.called) for each in graph.program.calls.targets(site))


def _is_about(call: ir.Call, name: str) -> bool:
    receiver = call.func.value if isinstance(call.func, ir.Attribute) else None
    return any(isinstance(each, ir.Name) and each.id == name for each in (receiver, *call.args))


def _escapes(graph: AppGraph, function: Function, name: str) -> bool:
    """Somebody else has it when the function ends, or takes care of closing it."""
    facts = function.facts
    if name in facts.is_global:
        return True
    for inner in function.functions:
        if any(isinstance(n, ir.Name) and n.id == name for s in inner.facts.calls for n in walk(s.node)):
            return True
    for each in facts.sites(ir.With):
        if any(last_name(item.context) == name for item in each.node.items):
            return True
    made = _holders(graph, function, name)
    returned = (s.node.value for s in facts.sites(ir.Return))
    if any(_holds(value, made) for value in returned):
        return True
    for each in facts.sites(ir.Assign):
        kept = any(not isinstance(target, ir.Name) for target in each.node.targets)
        if kept and any(_holds(each.node.value, {n}) for n in made):
            return True
    for each in facts.calls_named(*sorted(_TAKES)):
        held = (
            a.value if isinstance(a, ir.Attribute) else a for a in each.node.args
        )  # `session`, `session.close`
        if any(isinstance(a, ir.Name) and a.id == name for a in held):
            return True
    return False


def _holders(graph: AppGraph, function: Function, name: str) -> set[str]:
    """The name, other names of it, and objects that were made of it."""
    found = {name}
    for each in function.facts.sites(ir.Assign):
        target, value = each.node.targets[0], each.node.value
        if not isinstance(target, ir.Name):
            continue
        if isinstance(value, ir.Name) and value.id in found:
            found.add(target.id)
        elif isinstance(value, ir.Call) and any(last_name(a) in found for a in _given(value)):
            of = graph.program.inference.type_of(value.func, function)
            if of is None or any(isinstance(option, ClassRef) for option in options(of)):
                found.add(target.id)
    return found


def _given(call: ir.Call) -> list[ir.Expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _holds(value: ir.Expr | None, names: set[str]) -> bool:
    """A value that is one of the names, holds one, or is a call of a class that gets one."""
    if isinstance(value, ir.Name):
        return value.id in names
    if isinstance(value, ir.Sequence):
        return any(_holds(each, names) for each in value.elts)
    if isinstance(value, ir.Dict):
        return any(_holds(each, names) for each in value.values)
    if isinstance(value, ir.Call):
        return last_name(value.func)[:1].isupper() and any(_holds(each, names) for each in _given(value))
    return False


# ── next(get_session()) ─────────────────────────────────────────────────────────────────────────────────────


def _advanced(graph: AppGraph) -> Iterator[Unclosed]:
    """A session taken out of a generator dependency by hand."""
    providers = {id(p.function) for p in graph.database.session_providers if p.yields}
    if not providers:
        return
    for word in _ADVANCES:
        for site in graph.program.call_sites_named(word):
            function, given = site.scope, site.node.args[0] if site.node.args else None
            if (
                not isinstance(function, Function)
                or function.module.kind != "source"
                or not isinstance(given, ir.Call)
            ):
                continue
            types = options(graph.program.inference.type_of(given.func, function))
            targets = [f for of in types for f in graph.program.calls.functions_behind(of)]
            name = _target(site)
            if name and any(id(f) in providers for f in targets) and not _escapes(graph, function, name):
                yield from _of_name(graph, site, name, None, sure=True)
