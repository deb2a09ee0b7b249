"""Dominators and post-dominators: what has surely run before, and what surely runs after.

The iterative algorithm of Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm", 2001).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph, Edge, Place
from fastapi_architect.program.facts import Site


def immediate_dominators(
    order: list[int], predecessors: Callable[[int], list[int]], root: int
) -> dict[int, int]:
    """Immediate dominator of every node in `order` (a reverse postorder from `root`); the root's is itself."""
    rank = {node: position for position, node in enumerate(order)}
    found = {root: root}
    changed = True
    while changed:
        changed = False
        for node in order:
            if node == root:
                continue
            new: int | None = None
            for previous in predecessors(node):
                if previous in found:
                    new = previous if new is None else _meet(previous, new, found, rank)
            if new is not None and found.get(node) != new:
                found[node] = new
                changed = True
    return found


def _meet(left: int, right: int, found: dict[int, int], rank: dict[int, int]) -> int:
    while left != right:
        while rank[left] > rank[right]:
            left = found[left]
        while rank[right] > rank[left]:
            right = found[right]
    return left


class Dominance:
    """Answers about one flow graph. A place is (block, position); see `ControlFlowGraph.places_of`."""

    def __init__(self, graph: ControlFlowGraph) -> None:
        self.graph = graph

    @cached_property
    def dominators(self) -> dict[int, int]:
        """Block to its immediate dominator, for blocks that the entry reaches."""
        blocks = self.graph.blocks
        return immediate_dominators(
            self.graph.reverse_postorder(),
            lambda index: [edge.source for edge in blocks[index].predecessors],
            self.graph.entry,
        )

    @cached_property
    def post_dominators(self) -> dict[int, int]:
        """Block to its immediate post-dominator, as seen from the normal end; blocks that never get there are left out.

        Ways that end by an exception do not count: "on every way that returns".
        """
        blocks = self.graph.blocks
        order: list[int] = []
        seen = {self.graph.exit}
        stack = [(self.graph.exit, iter(blocks[self.graph.exit].predecessors))]
        while stack:
            index, edges = stack[-1]
            edge = next(edges, None)
            if edge is None:
                order.append(index)
                stack.pop()
            elif edge.source not in seen:
                seen.add(edge.source)
                stack.append((edge.source, iter(blocks[edge.source].predecessors)))
        order.reverse()
        return immediate_dominators(
            order,
            lambda index: [edge.target for edge in blocks[index].successors if edge.target in seen],
            self.graph.exit,
        )

    def block_dominates(self, first: int, second: int) -> bool:
        """Every way from the entry to block `second` passes block `first`; False where nothing leads."""
        return _above(first, second, self.dominators)

    def block_post_dominates(self, first: int, second: int) -> bool:
        """Every way from block `second` to a return passes block `first`; False where none returns."""
        return _above(first, second, self.post_dominators)

    def dominates(self, first: Site, second: Site) -> bool:
        """Whenever `second` is evaluated, `first` has been evaluated before (or is the same element)."""
        earlier, later = self.graph.places_of(first), self.graph.places_of(second)
        later = [place for place in later if place[0] in self.dominators]
        return bool(later) and all(
            any(_before(a, b) if a[0] == b[0] else self.block_dominates(a[0], b[0]) for a in earlier)
            for b in later
        )

    def post_dominates(self, first: Site, second: Site) -> bool:
        """Whenever the function returns after `second`, it has evaluated `first` behind it (or in the same element)."""
        later, earlier = self.graph.places_of(first), self.graph.places_of(second)
        earlier = [place for place in earlier if place[0] in self.post_dominators]
        return bool(earlier) and all(
            any(_before(a, b) if a[0] == b[0] else self.block_post_dominates(b[0], a[0]) for b in later)
            for a in earlier
        )

    def conditions(self, site: Site) -> list[Edge]:
        """Edges that every way to `site` passes, with what is known to hold on them; innermost first.

        `if not allowed: raise` puts `allowed` among the conditions of all that follows.
        """
        found: list[Edge] | None = None
        for place in self.graph.places_of(site):
            if place[0] not in self.dominators:
                continue
            here = self._conditions_of(place[0])
            if found is None:
                found = here
            else:
                held = {(id(edge.condition), edge.holds) for edge in here}
                found = [edge for edge in found if (id(edge.condition), edge.holds) in held]
        return found or []

    def _conditions_of(self, block: int) -> list[Edge]:
        found: list[Edge] = []
        while True:
            entering = [
                e for e in self.graph.blocks[block].predecessors if not self.block_dominates(block, e.source)
            ]
            reached = [e for e in entering if e.source in self.dominators]
            if len(reached) == 1 and reached[0].condition is not None:
                found.append(reached[0])
            above = self.dominators[block]
            if above == block:
                return found
            block = above


def _before(earlier: Place, later: Place) -> bool:
    return earlier[1] <= later[1]


def _above(first: int, second: int, tree: dict[int, int]) -> bool:
    if second not in tree or first not in tree:
        return False
    while second != first:
        above = tree[second]
        if above == second:
            return False
        second = above
    return True
