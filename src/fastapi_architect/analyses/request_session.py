"""Is a session the request's own, and who closes it?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.event_loop import event_loop
from fastapi_architect.analyses.injected_values import with_parents
from fastapi_architect.analyses.session_use import Handed, Steps, session_uses
from fastapi_architect.analyses.state_sessions import StateSession, state_attribute, state_session
from fastapi_architect.appgraph.database import SessionProvider
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Function, Scope
from fastapi_architect.syntax import ir

#: Callers that are asked for a session which a helper is handed.
_MAX_UP = 4


class RequestSession(msgspec.Struct, frozen=True, eq=False):
    """Where a session comes from.

    Attributes:
        provider: the dependency that yields it; None for anything else.
        block: the `with` that opens and closes it; None for anything else.
        holder: the body that receives it, or in which the block stands.
        lifetime: the dependency's `scope=`.
        operation: an operation that runs it; None for a block outside of operations.
        laid: the session that a middleware lays on the state of the request; provider and block are None then.
    """

    provider: SessionProvider | None
    block: ir.With | None
    holder: Function
    lifetime: str = ""
    operation: PathOperation | None = None
    laid: StateSession | None = None


def request_sessions(graph: AppGraph, holder: Scope, steps: Steps) -> Iterator[RequestSession]:
    """Where the session comes from that a body holds at `steps`: for each way that is understood."""
    seen = {(id(holder), steps)}
    frontier = [(holder, steps)]
    for _ in range(_MAX_UP):
        following: list[tuple[Scope, Steps]] = []
        for scope, where in frontier:
            if not isinstance(scope, Function):
                continue
            found = list(_of_body(graph, scope, where))
            yield from found
            if not found:
                following += [up for up in _above(graph, scope, where) if (id(up[0]), up[1]) not in seen]
                seen.update((id(each), each_steps) for each, each_steps in following)
        frontier = following


def _of_body(graph: AppGraph, function: Function, steps: Steps) -> Iterator[RequestSession]:
    bindings = function.facts.bindings.get(steps[0], ())
    for binding in bindings:
        if binding.kind == "with" and isinstance(binding.node, ir.With) and len(bindings) == 1:
            operation = next(iter(graph.operations_running(function)), None)
            yield RequestSession(None, binding.node, function, operation=operation)
    if function.owner is not None and function.parameters and steps[0] == function.parameters[0].name:
        yield from _of_class(graph, function)
        yield from _of_view(graph, function, steps)
    for operation in graph.operations_running(function)[:1]:
        if steps[1:2] == ("state",) and len(steps) == 3:
            yield from _laid(graph, steps[2], function, operation)
        for dependency in operation.dependencies:
            own = operation.handler if dependency.level == "parameter" else None
            for each, receiver in with_parents(dependency, own):
                if receiver is function and each.parameter_name == steps[0]:
                    yield from _provided(graph, each, function, operation)


def _of_class(graph: AppGraph, method: Function) -> Iterator[RequestSession]:
    """The object is a dependency itself: `service: Service = Depends()`."""
    for dependency, operation in _classes(graph).get(id(method.owner), ()):
        yield from _provided(graph, dependency, method, operation)


def _of_view(graph: AppGraph, method: Function, steps: Steps) -> Iterator[RequestSession]:
    """A class of handlers has the session as a field, `session: Session = Depends(...)`, or makes something of it."""
    for operation in graph.operations_running(method)[:1]:
        if operation.handler is not method:
            continue
        fields = [d for d in operation.dependencies if d.level == "class"]
        own = [d for d in fields if d.parameter_name in steps[1:2]]
        found = [each for d in own or fields for each in _provided(graph, d, method, operation)]
        if len({id(each.provider) for each in found}) == 1:
            yield found[0]


@question
def _classes(graph: AppGraph) -> dict[int, list[tuple[Dependency, PathOperation]]]:
    """The first use of each class as a dependency, by the identity of the class."""
    found: dict[int, list[tuple[Dependency, PathOperation]]] = {}
    for operation in graph.operations:
        for dependency in operation.all_dependencies():
            if dependency.cls is not None:
                found.setdefault(id(dependency.cls), [(dependency, operation)])
    return found


def _provided(
    graph: AppGraph, dependency: Dependency, holder: Function, operation: PathOperation
) -> Iterator[RequestSession]:
    providers = _providers(graph)
    for each in dependency.walk():
        provider = providers.get(id(each.function))
        if provider is not None:
            yield RequestSession(provider, None, holder, each.lifetime, operation)
            return
        for attribute in _given_from_state(each.function) if each.function is not None else ():
            yield from _laid(graph, attribute, holder, operation)


def _laid(
    graph: AppGraph, attribute: str, holder: Function, operation: PathOperation
) -> Iterator[RequestSession]:
    """`request.state.db`, which a middleware opens and closes."""
    laid = state_session(graph, operation, attribute)
    if laid is not None and laid.closes:
        yield RequestSession(None, None, holder, operation=operation, laid=laid)


def _given_from_state(function: Function) -> Iterator[str]:
    """`return request.state.db`."""
    for kind in (ir.Return, ir.Yield):
        for site in function.facts.sites(kind):
            attribute = state_attribute(site.node.value)
            if attribute:
                yield attribute


@question
def _providers(graph: AppGraph) -> dict[int, SessionProvider]:
    """Dependencies that yield a session and close it, by the identity of their function."""
    return {id(p.function): p for p in graph.database.session_providers if p.yields and p.closes}


def _above(graph: AppGraph, function: Function, steps: Steps) -> Iterator[tuple[Scope, Steps]]:
    """Where the callers of a function hold what it is handed."""
    uses = session_uses(graph)
    for site in event_loop(graph).callers.sites(function):
        if isinstance(site.node, ir.Call) and site.scope.module.kind == "source":
            handed = Handed(site.node.func, site.node.args, site.node.keywords, site.scope)
            yield from uses.handed_to(function, steps, handed)
