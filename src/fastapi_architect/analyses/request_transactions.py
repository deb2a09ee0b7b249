"""Who ends the transaction of a request, and which writes does nobody commit?

A request's session comes from a dependency. It is committed by the handler or what it calls, by the dependency behind its
`yield`, or by middleware; an engine may commit every statement by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from packaging.version import Version

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.session_acts import session_acts
from fastapi_architect.analyses.session_flow import Pending, Summary, Trace, session_flow
from fastapi_architect.analyses.session_owners import is_session_type, may_commit
from fastapi_architect.analyses.state_sessions import state_sessions
from fastapi_architect.appgraph.database import Engine
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.concepts.database import DatabaseCall
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir

#: Between these versions of FastAPI the code behind `yield` ran before the response was sent.
_EXIT_BEFORE_RESPONSE = Version("0.106")
_EXIT_AFTER_RESPONSE = Version("0.118")


class RequestEnd(msgspec.Struct, frozen=True, eq=False):
    """How the transaction of a request ends when nobody below its handler ends it.

    Attributes:
        provider: the dependency that gives the session; None when it is not known.
        committer: the dependency or middleware that commits when the handler is done; None when none does.
    """

    provider: Function | None
    committer: Function | None


@question_about
def request_end(graph: AppGraph, operation: PathOperation) -> RequestEnd:
    """How the transaction of an operation ends."""
    providers = _providers(graph)
    provider = committer = None
    for function in operation.functions:
        if function is operation.handler:
            continue
        if id(function) in providers or _gives_session(graph, function):
            provider = provider or function
        if function.is_generator and may_commit(graph, function):
            committer = committer or function
    return RequestEnd(provider, committer or _committing_middleware(graph, operation))


@question
def _providers(graph: AppGraph) -> frozenset[int]:
    return frozenset(id(provider.function) for provider in graph.database.session_providers)


def _gives_session(graph: AppGraph, function: Function) -> bool:
    """By what it is declared to give: `Iterator[Session]`, `AsyncGenerator[AsyncSession, None]`, `Session`."""
    returns = function.node.returns
    if returns is None:
        return False
    of = graph.program.inference.annotation(returns, function)
    given = [each for each in options(of) if isinstance(each, Instance)]
    inner = [o for each in given for arg in each.args[:1] for o in options(arg) if isinstance(o, Instance)]
    return any(is_session_type(graph, each) for each in (*given, *inner))


def _committing_middleware(graph: AppGraph, operation: PathOperation) -> Function | None:
    """Middleware that commits the session of the request, rather than one of its own."""
    flow = session_flow(graph)
    for middleware in graph.application_of(operation).middleware:
        function = middleware.function
        if function is not None and flow.summary(function).commits != "no":
            return function
        if function is not None and any(each.commits for each in state_sessions(graph, function)):
            return function
        if "commit_on_exit" in middleware.keywords and operation.handler is not None:
            return operation.handler
    return None


@question
def commits_by_itself(graph: AppGraph) -> bool:
    """Some engine or session factory that the application works with is set to commit every statement."""
    for engine in graph.database.engines:
        options_ = (engine.options.get("isolation_level"), engine.options.get("execution_options"))
        if any("AUTOCOMMIT" in str(each).upper() for each in options_) and not _stays_inside(engine):
            return True
    for factory in graph.database.session_factories:
        for keyword in factory.site.node.keywords:
            value = keyword.value
            if keyword.arg == "autocommit" and isinstance(value, ir.Constant) and value.value is True:
                return True
    return False


def _stays_inside(engine: Engine) -> bool:
    """An engine that one function makes for itself, to create a database for instance."""
    function = engine.function
    if function is None or engine.site.statement.__class__ is ir.Return:
        return False
    given = (s.node.value for kind in (ir.Return, ir.Yield) for s in function.facts.sites(kind))
    return not any(
        engine.variable and engine.variable == last_name(expr) for expr in given if expr is not None
    )


class LostWrite(msgspec.Struct, frozen=True, eq=False):
    """A write that nobody commits.

    Attributes:
        write: the write, seen from `function`.
        function: the handler or dependency that it is lost in, or the function that opened the session.
        operations: operations that lose it.
        provider: the dependency that gives the session; None for a session that `function` opened, or when it is not known.
    """

    write: Pending
    function: Function
    operations: tuple[PathOperation, ...] = ()
    provider: Function | None = None


@question
def lost_writes(graph: AppGraph) -> tuple[LostWrite, ...]:
    """Every write that nobody commits, one for each write and root function; in order of discovery."""
    if commits_by_itself(graph):
        return ()
    flow = session_flow(graph)
    own = [(function, pending) for function, pending in flow.lost if _is_statement(pending)]
    found = [LostWrite(pending, function) for function, pending in own if not _hands_on(graph, function)]
    by_root: dict[tuple[int, int], list[tuple[Pending, Function, PathOperation]]] = {}
    for operation in graph.operations:
        if operation.handler is None or request_end(graph, operation).committer is not None:
            continue
        for pending, function in _left_by(operation, flow.summary):
            key = (id(pending.trace.act), id(function))
            by_root.setdefault(key, []).append((pending, function, operation))
    for those in by_root.values():
        pending, function, operation = those[0]
        if any(_hands_on(graph, each) for each in operation.functions):
            continue
        ends = request_end(graph, operation)
        found.append(LostWrite(pending, function, tuple(o for _, _, o in those), ends.provider))
    return tuple(found)


@question_about
def _hands_on(graph: AppGraph, function: Function) -> bool:
    """The session goes to something that is not known, somewhere below: that may commit it."""
    reached, complete = effects(graph).reached([function])
    acts = session_acts(graph)
    return not complete or any(acts.may_end(site) for each in reached for site in each.facts.calls)


def _left_by(
    operation: PathOperation, summary: Callable[[Function], Summary]
) -> Iterator[tuple[Pending, Function]]:
    """Writes of an operation's functions that neither they nor those that run later commit."""
    left: list[tuple[Pending, Function]] = []
    for function in operation.functions:
        known = summary(function)
        if known.commits != "no":
            left.clear()
        left += [(pending, function) for pending in known.pending if _is_statement(pending)]
    yield from left


def _is_statement(pending: Pending) -> bool:
    """The session is told about it; a changed attribute may belong to an object that no session knows."""
    return isinstance(pending.trace.act.concept, DatabaseCall)


def commits_after_response(graph: AppGraph, operation: PathOperation, committer: Function) -> bool:
    """A dependency's code behind `yield` runs after the response was sent: before FastAPI 0.106, and since 0.118.

    A dependency of `scope="function"` (0.121) is left before.
    """
    if not committer.is_generator:
        return False
    used = [d for d in operation.all_dependencies() if d.function is committer]
    if any(dependency.lifetime == "function" for dependency in used):
        return False
    version = graph.version("fastapi")
    return version is None or version < _EXIT_BEFORE_RESPONSE or version >= _EXIT_AFTER_RESPONSE


def ends_later(graph: AppGraph, write: Trace) -> tuple[PathOperation, Function] | None:
    """An operation at whose end a write is committed by a dependency or middleware, and by which; None when there is none."""
    flow = session_flow(graph)
    function = write.act.site.scope
    for operation in graph.entries(function) if isinstance(function, Function) else ():
        committer = request_end(graph, operation).committer
        if committer is None:
            continue
        for each in operation.functions:
            if any(pending.trace.act is write.act for pending in flow.summary(each).pending):
                return operation, committer
    return None
