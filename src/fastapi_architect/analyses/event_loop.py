"""Does a function run on the event loop that serves requests, and on whose behalf?

Asked backwards: from a function through its callers to what the framework itself runs on the loop
(operations, websockets, dependencies, middleware, exception handlers, background tasks) or to a task that was
started at start-up and keeps running. What a thread or a loop of its own runs ends the way back.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from fastapi_architect.analyses.callers import Callers, calls_inside
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.concurrency import LoopRun, TaskSpawn
from fastapi_architect.concepts.messaging import BackgroundTaskAdd
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import options
from fastapi_architect.syntax import ir

_MAX_DEPTH = 25
_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "websocket", "api_route"})


class OnLoop(msgspec.Struct, frozen=True, eq=False):
    """How a function comes to run on an event loop.

    Attributes:
        kind: what the framework runs: operation, websocket, dependency, middleware, exception handler,
            background task; task (started at start-up, runs while requests are served), startup (before
            requests are accepted), own (a loop of its own: a script, a worker), or unknown (nobody is seen to
            call it).
        operations: operations that run it, in order of registration; empty for the last four kinds.
        root: the function that the framework runs.
        sure: every step was a call that leads to exactly one function.
    """

    kind: str
    operations: tuple[PathOperation, ...]
    root: Function | None
    sure: bool

    @property
    def serves(self) -> bool:
        """Requests wait while it blocks."""
        return self.kind not in ("startup", "own", "unknown")


_ORDER = (
    "operation",
    "websocket",
    "dependency",
    "middleware",
    "exception handler",
    "background task",
    "task",
)


class EventLoop:
    """Answers for one graph."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self.callers = Callers(graph)
        self._found: dict[int, OnLoop] = {}

    def of(self, function: Function) -> OnLoop:
        """How `function` comes to run on a loop."""
        key = id(function)
        if key not in self._found:
            self._found[key] = self._search(function)
        return self._found[key]

    def serving(self, function: Function) -> bool:
        """It runs on the loop that serves requests."""
        return self.of(function).serves

    @cached_property
    def roots(self) -> dict[int, tuple[str, tuple[PathOperation, ...]]]:
        """Coroutine functions that the framework runs on the loop, by identity: what as, and for which
        operations.
        """
        found: dict[int, tuple[str, dict[int, PathOperation]]] = {}

        def add(function: Function | None, kind: str, operations: tuple[PathOperation, ...]) -> None:
            if function is not None and function.is_async:
                known = found.setdefault(id(function), (kind, {}))[1]
                known.update((id(o), o) for o in operations)

        for operation in self._graph.operations:
            add(operation.handler, "websocket" if operation.is_websocket else "operation", (operation,))
            for function in operation.functions:
                if function is not operation.handler:
                    add(function, "dependency", (operation,))
        for application in self._graph.applications:
            for middleware in application.middleware:
                add(middleware.function, "middleware", application.operations)
            for handler in application.exception_handlers:
                add(handler.handler, "exception handler", application.operations)
        for added in self._graph.facts(BackgroundTaskAdd):
            if added.target is not None:
                for function in self.callers.functions_of(added.target, added.scope):
                    operations = self._graph.entries(added.function) if added.function is not None else ()
                    add(function, "background task", operations)
        return {key: (kind, tuple(operations.values())) for key, (kind, operations) in found.items()}

    @cached_property
    def _starters(self) -> set[int]:
        """Functions that run before requests are accepted."""
        found = set()
        for application in self._graph.applications:
            for function in (application.lifespan.function, *(f for f, _ in application.lifespan.startup)):
                if function is not None:
                    found.add(id(function))
        return found

    @cached_property
    def _own_loops(self) -> set[int]:
        """Identities of calls whose coroutine is given to a fresh loop."""
        return {id(node) for run in self._graph.facts(LoopRun) for node in calls_inside(run.coroutine)}

    @cached_property
    def spawned(self) -> set[int]:
        """Identities of calls whose coroutine becomes a task of its own."""
        spawns = (s for s in self._graph.facts(TaskSpawn) if s.kind in ("task", "group"))
        return {id(node) for spawn in spawns for each in spawn.coroutines for node in calls_inside(each)}

    def _search(self, function: Function) -> OnLoop:
        search = _Search()
        frontier: list[tuple[Function, bool]] = [(function, True)]
        seen = {id(function)}
        for _ in range(_MAX_DEPTH):
            following: list[tuple[Function, bool]] = []
            for current, sure in frontier:
                root = self.roots.get(id(current))
                if root is not None:
                    search.add(root[0], root[1], current, sure=sure)
                    continue
                for caller, exact in self._above(current, search):
                    if id(caller) not in seen:
                        seen.add(id(caller))
                        following.append((caller, sure and exact))
            frontier = following
            if not frontier:
                break
        return search.result(self._graph)

    def _above(self, current: Function, search: _Search) -> Iterator[tuple[Function, bool]]:
        """Functions that run `current`; other ends of the way are noted in `search`."""
        if id(current) in self._starters:
            search.ends.add("startup")
            return
        sites = self.callers.sites(current)
        for site in sites:
            yield from self._caller(site, current, search)
        for decorated in self.callers.decorated_by(current):
            yield decorated, False
        if not sites and current.is_async and isinstance(current.parent, Function):
            # An inner coroutine function that is only handed on is run by somebody whom the outer one knows.
            yield current.parent, False
        elif not sites and self._given_to_router(current):
            search.add("operation", (), current, sure=False)
        elif not sites:
            search.ends.add("unknown")

    def _given_to_router(self, function: Function) -> bool:
        """A decorator of the program registers it: `@protected_route(router.post, "/items")`."""
        inference = self._graph.program.inference
        scope = function.parent or function.module
        for decorator in function.node.decorators:
            for given in getattr(decorator, "args", ()):
                if given.__class__ is ir.Attribute and given.attr in _METHODS:
                    for of in options(inference.type_of(given.value, scope)):
                        if getattr(of, "name", "") in ("fastapi.APIRouter", "fastapi.FastAPI"):
                            return True
        return False

    def _caller(self, site: Site, current: Function, search: _Search) -> Iterator[tuple[Function, bool]]:
        if id(site.node) in self._own_loops or not isinstance(site.scope, Function):
            search.ends.add("own")
        elif id(site.scope) in self._starters and id(site.node) in self.spawned:
            search.add("task", (), current, sure=True)
        elif site.scope.module.kind == "test":
            search.ends.add("own")
        else:
            yield (
                site.scope,
                len(self._graph.program.calls.targets(site)) < 2 if site.node.__class__ is ir.Call else True,
            )


class _Search:
    """What one walk back has met."""

    def __init__(self) -> None:
        self.ends: set[str] = set()
        self._roots: list[tuple[str, Function, bool]] = []
        self._operations: dict[int, PathOperation] = {}

    def add(self, kind: str, operations: tuple[PathOperation, ...], root: Function, *, sure: bool) -> None:
        self._roots.append((kind, root, sure))
        self._operations.update((id(o), o) for o in operations)

    def result(self, graph: AppGraph) -> OnLoop:
        if self._roots:
            kind, root, sure = min(self._roots, key=lambda each: _ORDER.index(each[0]))
            operations = tuple(o for o in graph.operations if id(o) in self._operations)
            return OnLoop(kind, operations, root, sure)
        kind = next((end for end in ("startup", "own") if end in self.ends), "unknown")
        return OnLoop(kind, (), None, False)


@question
def event_loop(graph: AppGraph) -> EventLoop:
    """The analysis of a graph; one for each graph."""
    return EventLoop(graph)
