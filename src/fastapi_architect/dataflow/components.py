"""Strongly connected components of a graph that is asked for its edges, callees first (Tarjan 1972, without recursion)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

NodeT = TypeVar("NodeT")


class Components(Generic[NodeT]):
    """One search; nodes are told apart by identity.

    Args:
        successors: the nodes that a node leads to.
    """

    def __init__(self, successors: Callable[[NodeT], Iterable[NodeT]]) -> None:
        self._successors = successors
        self._index: dict[int, int] = {}
        self._low: dict[int, int] = {}
        self._stack: list[NodeT] = []
        self._on_stack: set[int] = set()
        self._work: list[tuple[NodeT, Iterator[NodeT]]] = []

    def of(self, roots: Iterable[NodeT]) -> Iterator[list[NodeT]]:
        """Components of everything the roots lead to; each behind those it leads to."""
        for root in roots:
            if id(root) not in self._index:
                self._enter(root)
                yield from self._search()

    def _enter(self, node: NodeT) -> None:
        self._index[id(node)] = self._low[id(node)] = len(self._index)
        self._stack.append(node)
        self._on_stack.add(id(node))
        self._work.append((node, iter(self._successors(node))))

    def _search(self) -> Iterator[list[NodeT]]:
        low, index = self._low, self._index
        while self._work:
            node, successors = self._work[-1]
            following = next(successors, None)
            if following is None:
                self._work.pop()
                if self._work:
                    above = id(self._work[-1][0])
                    low[above] = min(low[above], low[id(node)])
                if low[id(node)] == index[id(node)]:
                    yield self._popped(node)
            elif id(following) not in index:
                self._enter(following)
            elif id(following) in self._on_stack:
                low[id(node)] = min(low[id(node)], index[id(following)])

    def _popped(self, node: NodeT) -> list[NodeT]:
        component = []
        while True:
            member = self._stack.pop()
            self._on_stack.discard(id(member))
            component.append(member)
            if member is node:
                return component
