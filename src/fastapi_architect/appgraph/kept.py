"""Answers that are worked out once for a graph, and go when it goes.

A `WeakKeyDictionary` does not do that: an answer holds functions, they hold the program and so the graph, and the graph
then lives as long as the dictionary. Here the answer lies in the graph itself; the collector takes both together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from fastapi_architect.appgraph.graph import AppGraph

ValueT = TypeVar("ValueT")


class Kept(Generic[ValueT]):
    """A mapping from graphs to one answer each."""

    __slots__ = ("__weakref__",)

    def _of(self, graph: AppGraph) -> dict[Kept[Any], Any]:
        kept: dict[Kept[Any], Any] = graph.__dict__.setdefault("_kept", {})
        return kept

    def __contains__(self, graph: AppGraph) -> bool:
        return self in self._of(graph)

    def __getitem__(self, graph: AppGraph) -> ValueT:
        answer: ValueT = self._of(graph)[self]
        return answer

    def __setitem__(self, graph: AppGraph, answer: ValueT) -> None:
        self._of(graph)[self] = answer

    def get(self, graph: AppGraph) -> ValueT | None:
        """The answer, or None when nobody has asked yet."""
        answer: ValueT | None = self._of(graph).get(self)
        return answer

    def setdefault(self, graph: AppGraph, answer: ValueT) -> ValueT:
        """The answer; `answer` when nobody has asked yet."""
        known: ValueT = self._of(graph).setdefault(self, answer)
        return known
