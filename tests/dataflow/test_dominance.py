"""Dominance against its definition, and against what Python does."""

import pytest
from tests.appgraph.sample import program_of
from tests.dataflow.random_functions import executions, function, source
from tests.dataflow.test_control_flow_graph import SEEDS, marks

from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph
from fastapi_architect.dataflow.dominance import Dominance


def reachable(
    graph: ControlFlowGraph, start: int, without: int | None, *, backwards: bool = False
) -> set[int]:
    if start == without:
        return set()
    found, queue = {start}, [start]
    while queue:
        block = graph.blocks[queue.pop()]
        for edge in block.predecessors if backwards else block.successors:
            following = edge.source if backwards else edge.target
            if following != without and following not in found:
                found.add(following)
                queue.append(following)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dominates_b_when_without_a_nothing_leads_to_b(seed):
    graph = ControlFlowGraph(function(seed))
    dominance = Dominance(graph)
    everything = reachable(graph, graph.entry, None)
    for a in everything:
        left = reachable(graph, graph.entry, a)
        expected = {b for b in everything if b not in left}
        assert {b for b in everything if dominance.block_dominates(a, b)} == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_a_post_dominates_b_when_without_a_nothing_leads_from_b_to_the_end(seed):
    graph = ControlFlowGraph(function(seed))
    dominance = Dominance(graph)
    returning = reachable(graph, graph.exit, None, backwards=True)
    for a in returning:
        left = reachable(graph, graph.exit, a, backwards=True)
        expected = {b for b in returning if b not in left}
        assert {b for b in returning if dominance.block_post_dominates(a, b)} == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_what_dominates_was_always_executed_before(seed):
    of = function(seed)
    dominance = Dominance(ControlFlowGraph(of))
    sites = marks(of)
    before = {
        number: [other for other in sites if other != number and dominance.dominates(sites[other], site)]
        for number, site in sites.items()
    }
    for executed in executions(seed):
        seen: set[int] = set()
        for number, _ in executed:
            missing = [other for other in before[number] if other not in seen]
            assert missing == [], source(seed)
            seen.add(number)


def test_an_early_return_leaves_its_condition_to_what_follows():
    of = program_of("""
        def f(x):
            if x:
                return t(1)
            t(2)
            if not x:
                t(3)
            t(4)
        """).functions[0]
    dominance = Dominance(ControlFlowGraph(of))
    sites = marks(of)
    held = {
        number: [(of.location(edge.condition).line, edge.holds) for edge in dominance.conditions(site)]
        for number, site in sites.items()
    }
    assert held == {1: [(3, True)], 2: [(3, False)], 3: [(6, True), (3, False)], 4: [(3, False)]}


def test_a_check_in_a_branch_dominates_that_branch_alone():
    of = program_of("""
        def f(x):
            if x:
                t(1)
                t(2)
            t(3)
        """).functions[0]
    dominance = Dominance(ControlFlowGraph(of))
    sites = marks(of)
    assert dominance.dominates(sites[1], sites[2])
    assert not dominance.dominates(sites[1], sites[3])
    assert dominance.post_dominates(sites[3], sites[1])
    assert not dominance.post_dominates(sites[1], sites[3])
