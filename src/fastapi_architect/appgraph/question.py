"""Questions about a backend that are answered once, and forgotten with the graph they are about.

    @question
    def layers(graph: AppGraph) -> Layers: ...

    @question_about
    def is_read(graph: AppGraph, name: str) -> bool: ...

A `WeakKeyDictionary` would not forget: an answer holds functions, they hold the program and so the graph, and the graph
then lives as long as the dictionary. Here the answers lie in the graph itself; the collector takes both together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from fastapi_architect.appgraph.graph import AppGraph

AnswerT = TypeVar("AnswerT")
ItemT = TypeVar("ItemT")


class Answers(dict[Any, Any]):
    """What has been asked, and the answers; a missing one is worked out.

    Attributes:
        work: gives the answer for a key.
    """

    def __init__(self, work: Callable[[Any], Any]) -> None:
        super().__init__()
        self.work = work

    def __missing__(self, key: Any) -> Any:
        answer = self[key] = self.work(key)
        return answer


class question(Generic[AnswerT]):  # noqa: N801 - a decorator
    """A function of a graph that is worked out when it is first asked, once for each graph."""

    def __init__(self, work: Callable[[AppGraph], AnswerT]) -> None:
        self.work = work
        functools.update_wrapper(self, work)

    def __call__(self, graph: AppGraph) -> AnswerT:
        """The answer, worked out if nobody has asked before."""
        answer: AnswerT = graph.answers[self]
        return answer

    @property
    def name(self) -> str:
        """File and function: `layers.layers`."""
        return f"{self.work.__module__.rpartition('.')[2]}.{self.work.__name__}"

    def known(self, graph: AppGraph) -> AnswerT | None:
        """The answer if somebody has asked, else None."""
        return graph.answers.get(self)


def question_about(work: Callable[[AppGraph, ItemT], AnswerT]) -> Callable[[AppGraph, ItemT], AnswerT]:
    """A function of a graph and an item (a function, a class, a name: what is cheap to hash) that is worked out once for each item."""

    @question
    @functools.wraps(work)
    def answers(graph: AppGraph) -> Answers:
        return Answers(lambda item: work(graph, item))

    @functools.wraps(work)
    def asked(graph: AppGraph, item: ItemT) -> AnswerT:
        answer: AnswerT = answers(graph)[item]
        return answer

    return asked
