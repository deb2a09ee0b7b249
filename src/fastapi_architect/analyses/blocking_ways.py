"""Which calls of a coroutine end, through synchronous helpers, in a call that blocks?

Every function from which a blocking call is reached through synchronous calls is marked once, nearest first;
the places where a coroutine calls a marked function are the first calls on the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from fastapi_architect.analyses.event_loop import EventLoop, OnLoop, event_loop
from fastapi_architect.analyses.made_once import is_once
from fastapi_architect.analyses.never_named import is_never_named
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.program.definitions import Function, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir

#: Blocking calls below one first call that are gathered; there may be more.
_MAX_BELOW = 30

_COMPRESSIONS = frozenset({"zlib.compress", "gzip.compress", "bz2.compress", "lzma.compress"})
_SERIALISERS = frozenset({"dumps", "dump_json", "model_dump_json", "packb", "encode", "SerializeToString"})

_CACHES = frozenset({"lru_cache", "cache", "cached_property"})


class BlockingWay(msgspec.Struct, frozen=True, eq=False):
    """From a call on the loop to a blocking call.

    Attributes:
        hops: call sites, the first on the loop, the last calling the function that blocks.
        blocking: the blocking call.
        sure: every hop leads to exactly one function and the blocking call was recognised by its type.
    """

    hops: tuple[Site, ...]
    blocking: BlockingCall
    sure: bool


class FirstCall(msgspec.Struct, frozen=True, eq=False):
    """A call in a coroutine that blocks somewhere below.

    Attributes:
        coroutine: the function it stands in.
        site: the call (or the attribute, for a property).
        ways: to different blocking calls, shortest first.
        more: there are more than were gathered.
    """

    coroutine: Function
    site: Site
    ways: tuple[BlockingWay, ...]
    more: bool


class BlockingWays:
    """Answers for one graph and some kinds of blocking calls."""

    def __init__(self, graph: AppGraph, sinks: Iterable[BlockingCall]) -> None:
        self._graph = graph
        self._loop: EventLoop = event_loop(graph)
        #: What a marked function reaches, by identity: blocking calls of its own, and sites that call marked
        #: functions.
        self._own: dict[int, list[BlockingCall]] = {}
        self._onward: dict[int, list[tuple[Site, Function]]] = {}
        self._first: dict[int, tuple[Site, list[Function]]] = {}
        self._spread(sinks)

    def _spread(self, sinks: Iterable[BlockingCall]) -> None:
        frontier: list[Function] = []
        seen: set[int] = set()
        for sink in sinks:
            function = sink.function
            if function is None or function.is_async or sink.site.context.inside("lambda") is not None:
                continue
            if is_once(sink.site) or never_runs(sink.site, self._graph) or _is_brief(sink, function):
                continue
            self._own.setdefault(id(function), []).append(sink)
            if id(function) not in seen:
                seen.add(id(function))
                frontier.append(function)
        while frontier:
            following: list[Function] = []
            for current in frontier:
                if _kept(current):
                    continue
                for site in self._runs(current):
                    scope = site.scope
                    if not isinstance(scope, Function) or is_once(site) or never_runs(site, self._graph):
                        continue
                    if scope.is_async:
                        self._first.setdefault(id(site.node), (site, []))[1].append(current)
                        continue
                    self._onward.setdefault(id(scope), []).append((site, current))
                    if id(scope) not in seen:
                        seen.add(id(scope))
                        following.append(scope)
            frontier = following

    def _runs(self, function: Function) -> Iterator[Site]:
        for site in self._loop.callers.sites(function):
            if not (
                site.awaited and function.node.decorators
            ):  # a decorator made it awaitable: it hands over
                yield site
        for decorated in self._loop.callers.decorated_by(function):
            if not decorated.is_async:
                yield from self._loop.callers.sites(decorated)

    def first_calls(self) -> Iterator[FirstCall]:
        """Every call on a loop that blocks below, in order of files and places; whose loop it is, is not
        asked.
        """
        found = list(self._first.values())
        found.sort(key=lambda pair: (pair[0].scope.module.path, pair[0].node.span))
        for site, targets in found:
            ways, more = self._ways(site, targets)
            if ways:
                assert isinstance(site.scope, Function)
                yield FirstCall(site.scope, site, ways, more)

    def _ways(self, first: Site, targets: list[Function]) -> tuple[tuple[BlockingWay, ...], bool]:
        found: dict[int, BlockingWay] = {}
        queue: list[tuple[Function, tuple[Site, ...], bool]] = []
        exact = self._exact(first)
        queue += [(target, (first,), exact) for target in targets]
        seen = {id(target) for target in targets}
        while queue and len(found) < _MAX_BELOW:
            current, hops, sure = queue.pop(0)
            for sink in self._own.get(id(current), ()):
                found.setdefault(id(sink.node), BlockingWay(hops, sink, sure and sink.sure))
            for site, target in self._onward.get(id(current), ()):
                if id(target) not in seen:
                    seen.add(id(target))
                    queue.append((target, (*hops, site), sure and self._exact(site)))
        return tuple(found.values()), bool(queue)

    def _exact(self, site: Site) -> bool:
        return site.node.__class__ is not ir.Call or len(self._graph.program.calls.targets(site)) < 2


def _is_brief(sink: BlockingCall, function: Function) -> bool:
    """It sleeps only when an attempt has failed, or packs one record that this function has just written as text."""
    if sink.kind == "sleep":
        return sink.site.context.inside("handler") is not None
    if not isinstance(sink.node, ir.Call) or sink.name not in _COMPRESSIONS:
        return False
    given = [b.value for a in sink.node.args[:1] for b in function.facts.bindings.get(dotted_name(a), ())]
    written = [value for value in (*given, *sink.node.args[:1]) if isinstance(value, ir.Call)]
    return any(last_name(value.func) in _SERIALISERS for value in written)


def _kept(function: Function) -> bool:
    """Its result is kept: the process waits once."""
    if not any(function.has_decorator(name) for name in _CACHES):
        return False
    return len(function.parameters) <= (1 if function.is_method else 0)


def never_runs(site: Site, graph: AppGraph) -> bool:
    """It stands under a condition that a constant makes false."""
    constants = graph.program.constants
    return any(constants.value(test, site.scope) is False for test in _plain_conditions(site))


def _plain_conditions(site: Site) -> Iterator[ir.Expr]:
    for context in site.context:
        test = getattr(context.node, "test", None)
        if context.role == "if" and test.__class__ in (ir.Name, ir.Constant, ir.Attribute):
            yield test
        if context.role == "if" and isinstance(test, ir.BoolOp) and test.op == "and":
            yield from (part for part in test.values if part.__class__ is ir.Constant)  # `if False and ...`


def on_the_loop(blocking: BlockingCall, graph: AppGraph) -> OnLoop | None:
    """How a blocking call that stands in a coroutine function itself comes to run on a loop.

    None when it stands elsewhere, in a lambda, in what is made once and kept, in code that runs only before
    requests are accepted or on a loop of its own, in a coroutine that no code names, or in tests. The kind is
    `unknown` when nobody is seen to call the coroutine.
    """
    function = blocking.function
    if (
        function is None
        or not function.is_async
        or function.module.kind != "source"
        or not graph.applications
    ):
        return None
    if blocking.site.context.inside("lambda") is not None or blocking.site.awaited:
        return None
    if is_once(blocking.site) or never_runs(blocking.site, graph):
        return None
    on = event_loop(graph).of(function)
    if on.kind == "unknown":
        once = function.has_decorator("asynccontextmanager") or function.name in ("main", "lifespan")
        return None if once or is_never_named(graph, function) else on
    return on if on.serves else None


#: Kinds of waiting that are long enough to matter whatever the load.
COUNTED = frozenset({"sleep", "http", "network", "database", "subprocess", "cpu"})


@question
def blocking_ways(graph: AppGraph) -> BlockingWays:
    """The analysis of a graph, over every counted kind; one for each graph."""
    counted = [
        b for b in graph.facts(BlockingCall) if b.kind in COUNTED and not b.name.endswith("Image.open")
    ]
    return BlockingWays(graph, counted)  # an image that is opened is not decoded yet
