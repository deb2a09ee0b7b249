"""Questions are answered once for each graph, and forgotten with it."""

from __future__ import annotations

import gc
import weakref

from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.source.tree import SourceTree

ASKED: list[object] = []


@question
def size(graph: AppGraph) -> int | None:
    """Functions of a graph; None for none."""
    ASKED.append(graph)
    return len(graph.program.functions) or None


@question_about
def calls(graph: AppGraph, name: str) -> list[object]:
    """Calls of that name."""
    ASKED.append(name)
    return list(graph.program.call_sites_named(name))


def graph_of(text: str, folder) -> AppGraph:
    return AppGraph(program_of(text), all_libraries(), SourceTree.open(folder))


def test_a_question_is_answered_once_for_each_graph(tmp_path):
    one, none = graph_of("def a(): ...\n", tmp_path), graph_of("", tmp_path)
    ASKED.clear()
    assert size.known(one) is None
    assert [size(one), size(none), size(one), size(none)] == [1, None, 1, None]
    assert [one, none] == ASKED
    assert size.known(one) == 1
    assert (size.name, size.__doc__) == ("test_question.size", "Functions of a graph; None for none.")
    ASKED.clear()


def test_a_question_about_an_item_is_answered_once_for_each(tmp_path):
    graph = graph_of("f()\nf()\ng()\n", tmp_path)
    ASKED.clear()
    assert [len(calls(graph, name)) for name in ("f", "g", "f", "h")] == [2, 1, 2, 0]
    assert ASKED == ["f", "g", "h"]
    ASKED.clear()


def test_answers_go_with_their_graph(tmp_path):
    graph = graph_of("f()\n", tmp_path)
    size(graph), calls(graph, "f")
    ASKED.clear()
    gone = weakref.ref(graph)
    del graph
    gc.collect()
    assert gone() is None
