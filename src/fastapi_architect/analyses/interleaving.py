"""What may happen between a look at something shared and the change that builds on it: can others run there?"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.database import DatabaseCall
from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph, Place
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir

_MAX_DEPTH = 6
_LOCKS = ("lock", "mutex", "sem")


class Interleaving:
    """Answers about one function."""

    def __init__(self, graph: AppGraph, function: Function) -> None:
        self._flow = ControlFlowGraph(function)
        self.pauses = self._pauses(graph, function)

    def _pauses(self, graph: AppGraph, function: Function) -> dict[Place, Site]:
        """Places at which others may run, each with what waits there."""
        found: dict[Place, Site] = {}
        sites: list[Site] = []
        if function.is_async:
            sites += [s for s in function.facts.sites(ir.Await) if suspends(graph, s)]
            sites += [s for kind in (ir.For, ir.With) for s in function.facts.sites(kind) if s.node.is_async]
        else:
            sites += [call.site for call in graph.within(BlockingCall, function)]
            sites += [call.site for call in graph.within(DatabaseCall, function) if call.round_trip]
        for site in sites:
            for place in self._flow.places_of(site):
                found.setdefault(place, site)
        return found

    def between(self, first: Site, last: Site, again: Iterable[Site]) -> Site | None:
        """A pause on some way from `first` to `last`, behind which nobody looks `again`; None when there is none."""
        looks = {place for site in again for place in self._flow.places_of(site)}
        ends = set(self._flow.places_of(last))
        for pause, site in sorted(self.pauses.items()):
            if pause in ends:
                continue  # in the statement itself: the caller knows in which order it is evaluated
            if self._leads(self._flow.places_of(first), {pause}, set()) and self._leads([pause], ends, looks):
                return site
        return None

    def leads(self, first: Site, last: Site) -> bool:
        """Some way leads from behind one place to the other, which may lie before it in a loop."""
        return self._leads(self._flow.places_of(first), set(self._flow.places_of(last)), set())

    def _leads(self, starts: list[Place], ends: set[Place], stops: set[Place]) -> bool:
        """Some way leads from behind one of the places to another one, not through a stop."""
        queue = deque((block, position + 1) for block, position in starts)
        seen: set[int] = set()
        while queue:
            block, position = queue.popleft()
            elements = self._flow.blocks[block].elements
            stopped = False
            for index in range(position, len(elements)):
                if (block, index) in ends:
                    return True
                if (block, index) in stops:
                    stopped = True
                    break
            if stopped:
                continue
            for edge in self._flow.blocks[block].successors:
                if edge.target not in seen:
                    seen.add(edge.target)
                    queue.append((edge.target, 0))
        return False


@question_about
def interleaving(graph: AppGraph, function: Function) -> Interleaving:
    """The analysis of one function."""
    return Interleaving(graph, function)


def suspends(graph: AppGraph, awaiting: Site) -> bool:
    """An `await` may let others run; a coroutine of the program that waits for nothing itself does not."""
    value = awaiting.node.value
    if value.__class__ is not ir.Call:
        return True
    if last_name(value.func) == "put":
        return False  # a queue without a limit, as nearly all are, takes it at once
    for site in awaiting.scope.facts.calls_named(last_name(value.func)):
        if site.node is value:
            targets = graph.program.calls.targets(site)
            return not targets or any(_may_wait(graph, target) for target in targets)
    return True


@question_about
def _may_wait(graph: AppGraph, function: Function) -> bool:
    return _waits(graph, function, 0)


def _waits(graph: AppGraph, function: Function, depth: int) -> bool:
    facts = function.facts
    if any(site.node.is_async for kind in (ir.For, ir.With) for site in facts.sites(kind)):
        return True
    for awaiting in facts.sites(ir.Await):
        value = awaiting.node.value
        site = next((s for s in facts.calls if s.node is value), None)
        targets = graph.program.calls.targets(site) if site is not None else ()
        if not targets or depth > _MAX_DEPTH or any(_waits(graph, t, depth + 1) for t in targets):
            return True
    return not function.is_async


def is_exclusive(*sites: Site) -> bool:
    """All of the places stand in one block that holds a lock."""
    blocks = [
        {id(c.node) for c in site.context if c.role == "with" and _holds_lock(c.node)} for site in sites
    ]
    return bool(set.intersection(*blocks))


def _holds_lock(node: ir.Node | None) -> bool:
    if not isinstance(node, ir.With):
        return False
    for item in node.items:
        expr = item.context
        name = last_name(expr.func if isinstance(expr, ir.Call) else expr).lower()
        if any(word in name for word in _LOCKS):
            return True
    return False
