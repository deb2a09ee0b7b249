"""Is something made anew for every request, or once and kept?"""

from __future__ import annotations

import msgspec

from fastapi_architect.analyses.event_loop import event_loop
from fastapi_architect.analyses.made_once import LASTING, is_once
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Function, dotted_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir

_MAX_DEPTH = 15
_CACHES = ("lru_cache", "cache", "cached", "cached_property", "alru_cache", "singleton", "once")


class PerRequest(msgspec.Struct, frozen=True, eq=False):
    """How a place is reached for each request.

    Attributes:
        operations: operations that run it each time, in order of registration.
        hops: call sites on the nearest way, the operation's first.
        root: the handler or dependency it begins with.
    """

    operations: tuple[PathOperation, ...]
    hops: tuple[Site, ...]
    root: Function


class _Reader:
    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._callers = event_loop(graph).callers
        self._found: dict[int, PerRequest | None] = {}

    def of(self, function: Function) -> PerRequest | None:
        key = id(function)
        if key not in self._found:
            self._found[key] = self._search(function)
        return self._found[key]

    def _search(self, function: Function) -> PerRequest | None:
        operations: dict[int, PathOperation] = {}
        nearest: tuple[tuple[Site, ...], Function] | None = None
        frontier: list[tuple[Function, tuple[Site, ...]]] = [(function, ())]
        seen = {id(function)}
        for _ in range(_MAX_DEPTH):
            following: list[tuple[Function, tuple[Site, ...]]] = []
            for current, hops in frontier:
                if any(current.has_decorator(name) for name in _CACHES):
                    continue
                running = self._graph.operations_running(current)
                operations.update((id(o), o) for o in running)
                if running and nearest is None:
                    nearest = (hops, current)
                for site in self._callers.sites(current):
                    scope = site.scope
                    if isinstance(scope, Function) and id(scope) not in seen and not is_kept(site):
                        seen.add(id(scope))
                        following.append((scope, (site, *hops)))
            frontier = following
            if not frontier:
                break
        if nearest is None:
            return None
        ordered = tuple(o for o in self._graph.operations if id(o) in operations)
        return PerRequest(ordered, nearest[0], nearest[1])


def is_kept(site: Site) -> bool:
    """What the call gives is made once: under a test for absence, in a global name, on the application's
    state.
    """
    if is_once(site) or site.context.inside("lambda", "default", "decorator") is not None:
        return True
    statement = site.statement
    targets = statement.targets if statement.__class__ is ir.Assign else []
    for target in targets:
        if target.__class__ is ir.Name and target.id in site.scope.facts.is_global:
            return True
        if target.__class__ is ir.Subscript and _under_membership(site):
            return True
        if target.__class__ is ir.Attribute and LASTING & set(dotted_name(target).split(".")[:-1]):
            return True
    return False


def _under_membership(site: Site) -> bool:
    """`if key not in clients: clients[key] = ...`."""
    for context in site.context:
        test = getattr(context.node, "test", None)
        if context.role == "if" and test.__class__ is ir.Compare and test.ops == ["not in"]:
            return True
        if context.role == "if" and test is not None and test.__class__ is ir.UnaryOp and test.op == "not":
            return True
    return False


def per_request(function: Function, graph: AppGraph) -> PerRequest | None:
    """How `function` is run for each request; None when it is not, or when its result is kept on every way."""
    return _reader(graph).of(function)


@question
def _reader(graph: AppGraph) -> _Reader:
    return _Reader(graph)
