"""Which objects of a module stay with the event loop that first used them, and which functions use them?

A pool keeps connections whose sockets and futures belong to one loop; a lock remembers who waits on which loop. On another
loop they fail: "attached to a different loop", "Event loop is closed".
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.database import Engine
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.concurrency import Lock
from fastapi_architect.concepts.database import DatabaseCall
from fastapi_architect.concepts.http import ClientCreation
from fastapi_architect.program.definitions import Function, Module, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

#: Drivers whose connections work on any loop that runs; the queue of the pool still remembers who has waited in it.
_FREE_DRIVERS = frozenset({"aiosqlite", "psycopg", "psycopg_async"})
#: Drivers that are known to refuse.
_BOUND_DRIVERS = frozenset({"asyncpg", "aiomysql", "asyncmy", "aiopg"})
#: Classes of pools that keep connections; None is the default.
_POOLS = (None, "AsyncAdaptedQueuePool", "QueuePool", "FallbackAsyncAdaptedQueuePool")
#: Kinds of clients that keep connections.
_CLIENTS = frozenset({"http", "redis", "mongo", "model-api", "search"})


class LoopBound(msgspec.Struct, frozen=True, eq=False):
    """One such object.

    Attributes:
        name: the module's name for it.
        kind: engine, client or lock.
        what: in words: "engine", "Redis client", "HTTP client", "lock".
        location: where it is made.
        sure: it is known to fail on a second loop.
        once_full: it fails only after somebody has had to wait for it (a full pool, a lock that was taken).
    """

    name: str
    kind: str
    what: str
    location: Location
    sure: bool
    once_full: bool = False


class LoopBoundObjects:
    """Answers for one graph."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._inference = graph.program.inference
        #: Objects by the identity of the call that makes them, or a factory of sessions on them.
        self._made: dict[int, LoopBound] = {}
        for engine in graph.database.engines:
            self._add_engine(engine)
        for client in graph.facts(ClientCreation):
            if client.is_async and client.kind in _CLIENTS:
                self._add(client, "client", f"{_spoken(client.kind)} client", sure=True)
        for lock in graph.facts(Lock):
            if lock.is_async:
                self._add(lock, "lock", lock.kind, sure=False, once_full=True)
        for factory in graph.database.session_factories:
            bound = self._behind(factory.bind, factory.site.scope) if factory.bind is not None else None
            if factory.function is None and bound is not None:
                self._made[id(factory.site.node)] = bound
        self._names = {each.name for each in self._made.values()}

    def _add_engine(self, engine: Engine) -> None:
        driver = engine.url.driver
        pool = engine.options.get("poolclass")
        if not engine.is_async or engine.function is not None or engine.site.scope.module.kind != "source":
            return
        if pool not in _POOLS:
            return
        free = driver in _FREE_DRIVERS or engine.url.dialect == "sqlite"
        self._made[id(engine.site.node)] = LoopBound(
            engine.variable, "engine", "engine", engine.location, driver in _BOUND_DRIVERS, free
        )

    def _add(self, concept: Concept, kind: str, what: str, *, sure: bool, once_full: bool = False) -> None:
        statement = concept.site.statement
        target = (
            statement.targets[0] if isinstance(statement, ir.Assign) else getattr(statement, "target", None)
        )
        if (
            isinstance(concept.scope, Module)
            and concept.scope.kind == "source"
            and isinstance(target, ir.Name)
        ):
            self._made[id(concept.node)] = LoopBound(target.id, kind, what, concept.location, sure, once_full)

    @property
    def any(self) -> bool:
        """There is at least one."""
        return bool(self._made)

    def used_in(self, function: Function) -> Iterator[tuple[LoopBound, Site]]:
        """Objects that a function uses itself, with the place."""
        if id(function) in self._graph.scopes_with(DatabaseCall):
            for call in self._graph.within(DatabaseCall, function):
                found = self._behind(call.session, function) if call.session is not None else None
                if found is not None:
                    yield found, call.site
        for site in function.facts.calls:
            func = site.node.func
            if isinstance(func, ir.Attribute) and last_name(func.value) in self._names:
                found = self._behind(func.value, function)
                if found is not None and found.kind == "client":
                    yield found, site
        for site in function.facts.sites(ir.With):
            for item in site.node.items:
                if site.node.is_async and last_name(item.context) in self._names:
                    found = self._behind(item.context, function)
                    if found is not None and found.kind == "lock":
                        yield found, site

    def _behind(self, expr: ir.Expr | None, scope: Scope) -> LoopBound | None:
        """The object that an expression names, a factory of sessions standing for its engine."""
        if not isinstance(expr, ir.Name | ir.Attribute):
            return None
        bound = self._inference.bindings_of(expr, scope)
        if bound is None or isinstance(bound[0], Function):
            return None
        made = [self._made.get(id(binding.value)) for binding in bound[1]]
        found = next((each for each in made if each is not None), None)
        return found if found is None or len(made) == 1 else replace(found, sure=False)


def _spoken(kind: str) -> str:
    return {"http": "HTTP", "redis": "Redis", "mongo": "MongoDB"}.get(kind, kind)


@question
def loop_bound(graph: AppGraph) -> LoopBoundObjects:
    """The analysis of a graph; one for each graph."""
    return LoopBoundObjects(graph)
