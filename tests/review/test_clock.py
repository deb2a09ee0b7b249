"""CPU is charged to whoever spends it: a rule, or the question that rules share."""

from __future__ import annotations

import time

import pytest
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.program.type_inference import TypeInference
from fastapi_architect.review.clock import Clock
from fastapi_architect.source.tree import SourceTree


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


class Reader:
    __module__ = "fastapi_architect.analyses.reader"  # the clock watches the tool's own

    def of(self, name: str) -> str:
        burn(0.02)
        return name


@question
def inner(_: AppGraph) -> int:
    burn(0.03)
    return 1


@question
def outer(graph: AppGraph) -> int:
    burn(0.01)
    return inner(graph)


@question_about
def about(_: AppGraph, name: str) -> str:
    burn(0.01)
    return name


@question
def reader(_: AppGraph) -> Reader:
    return Reader()


@pytest.fixture
def graph(tmp_path):
    return AppGraph(program_of("def a(): ...\n"), all_libraries(), SourceTree.open(tmp_path))


def spent_by(graph, **rules):
    clock = Clock()
    with clock.watching():
        for name, check in rules.items():
            with clock.asking(name):
                check(graph)
    spent = clock.spent()
    return hundredths(spent.rules), {name: s for name, s in hundredths(spent.questions).items() if s}


def hundredths(seconds):
    return {name: int(100 * value + 0.3) / 100 for name, value in seconds.items()}


def test_a_shared_question_is_charged_to_no_rule(graph):
    rules, questions = spent_by(graph, first=lambda g: (outer(g), burn(0.02)), second=outer)
    assert rules == {"first": 0.02, "second": 0.0}
    assert questions == {"test_clock.inner": 0.03, "test_clock.outer": 0.01}


def test_what_one_rule_alone_asks_is_its_own(graph):
    rules, questions = spent_by(graph, first=outer, second=lambda _: burn(0.01), third=inner)
    assert rules == {"first": 0.01, "second": 0.01, "third": 0.0}
    assert questions == {"test_clock.inner": 0.03}


def test_answers_about_items_and_of_readers_belong_to_their_question(graph):
    def ask(graph):
        about(graph, "a"), about(graph, "b"), about(graph, "a")
        reader(graph).of("a")

    rules, questions = spent_by(graph, first=ask, second=ask)
    assert rules == {"first": 0.0, "second": 0.0}
    assert questions == {"test_clock.about": 0.02, "test_clock.reader": 0.04}


def test_nothing_is_watched_afterwards(graph):
    before = (question.__call__, TypeInference.type_of, vars(AppGraph)["applications"])
    with Clock().watching():
        assert question.__call__ is not before[0]
        assert graph.applications == ()
    assert (question.__call__, TypeInference.type_of, vars(AppGraph)["applications"]) == before
    assert "applications" in vars(graph)
