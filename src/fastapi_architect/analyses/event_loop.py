"""What runs on the event loop: from a blocking call back through synchronous callers to the coroutine that waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site

_MAX_DEPTH = 12
_MAX_CHAINS = 40


class LoopChain(msgspec.Struct, frozen=True, eq=False):
    """One way by which a blocking call holds up the loop.

    Attributes:
        entry: the `async def` that runs on the loop.
        hops: call sites from the entry's call inwards; the last calls the function that blocks. Empty when the entry
            blocks itself.
        blocking: the blocking call.
    """

    entry: Function
    hops: tuple[Site, ...]
    blocking: BlockingCall

    @property
    def first(self) -> Site:
        """The call in the coroutine where the wait begins."""
        return self.hops[0] if self.hops else self.blocking.site


class EventLoop:
    """Answers for one graph."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._above: dict[int, tuple[tuple[Function, tuple[Site, ...]], ...]] = {}

    def chains(self, blocking: BlockingCall) -> Iterator[LoopChain]:
        """Every coroutine that waits for a blocking call, each by its shortest way.

        A function that is handed to a thread is referenced there, not called, so no chain leads through it.
        """
        function = blocking.function
        if function is None:
            return
        if function.is_async:
            yield LoopChain(function, (), blocking)
            return
        for entry, hops in self._coroutines_above(function):
            yield LoopChain(entry, hops, blocking)

    def _coroutines_above(self, function: Function) -> tuple[tuple[Function, tuple[Site, ...]], ...]:
        key = id(function)
        if key not in self._above:
            found: dict[tuple[int, int], tuple[Function, tuple[Site, ...]]] = {}
            seen = {key}
            frontier: list[tuple[Function, tuple[Site, ...]]] = [(function, ())]
            for _ in range(_MAX_DEPTH):
                following: list[tuple[Function, tuple[Site, ...]]] = []
                for current, hops in frontier:
                    for site in self._graph.program.calls.callers(current):
                        scope = site.scope
                        if not isinstance(scope, Function) or site.context.inside("lambda") is not None:
                            continue
                        way = (site, *hops)
                        if scope.is_async:
                            found.setdefault((id(scope), id(site.node)), (scope, way))
                        elif id(scope) not in seen and not scope.is_generator:
                            seen.add(id(scope))
                            following.append((scope, way))
                frontier = following
                if not frontier or len(found) >= _MAX_CHAINS:
                    break
            self._above[key] = tuple(found.values())[:_MAX_CHAINS]
        return self._above[key]


_LOOPS: WeakKeyDictionary[AppGraph, EventLoop] = WeakKeyDictionary()


def event_loop(graph: AppGraph) -> EventLoop:
    """The analysis of a graph; one for each graph."""
    loop = _LOOPS.get(graph)
    if loop is None:
        loop = _LOOPS[graph] = EventLoop(graph)
    return loop
