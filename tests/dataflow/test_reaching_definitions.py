"""Reaching definitions against what Python does."""

import pytest
from tests.appgraph.sample import program_of
from tests.dataflow.random_functions import executions, function, source
from tests.dataflow.test_control_flow_graph import SEEDS, marks

from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph
from fastapi_architect.dataflow.reaching_definitions import ReachingDefinitions, bound_names
from fastapi_architect.syntax import ir


def values(definitions: list) -> set[object]:
    """What `x` is after each definition: the number of its statement, 0 for the parameter."""
    return {0 if isinstance(d.element, ir.Param) else d.element.value.args[0].value for d in definitions}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_value_read_was_given_by_a_definition_that_reaches(seed):
    of = function(seed)
    reaching = ReachingDefinitions(ControlFlowGraph(of))
    sites = marks(of)
    expected = {number: values(reaching.at(site, "x")) for number, site in sites.items()}
    for executed in executions(seed):
        for number, value in executed:
            assert value in expected[number], source(seed)


def test_a_definition_ends_where_the_next_one_begins():
    of = program_of("""
        def f(x):
            t(1)
            x = t(2)
            t(3)
            if x:
                x = t(4)
            t(5)
            for x in t(6):
                t(7)
            t(8)
        """).functions[0]
    reaching = ReachingDefinitions(ControlFlowGraph(of))
    sites = marks(of)
    lines = {n: [of.location(d.element).line for d in reaching.at(s, "x")] for n, s in sites.items()}
    assert lines == {1: [2], 2: [2], 3: [4], 4: [4], 5: [4, 7], 6: [4, 7], 7: [9], 8: [4, 7, 9]}


def test_what_an_assignment_raises_leaves_the_old_value():
    of = program_of("""
        def f(x):
            try:
                x = t(1)
            except ValueError:
                t(2)
            t(3)
        """).functions[0]
    reaching = ReachingDefinitions(ControlFlowGraph(of))
    sites = marks(of)
    assert values(reaching.at(sites[2], "x")) == {0}
    assert values(reaching.at(sites[3], "x")) == {0, 1}


def test_every_kind_of_binding_is_seen():
    of = program_of("""
        def f(a):
            b, (c, *d) = a
            e: int = 1
            f += 1
            with a as g, a as (h, i):
                pass
            import j.k, l as m
            from n import o
            def p(): q = 1
            class r: s = 1
            t = (u := 1)
            del v
        """).functions[0]
    graph = ControlFlowGraph(of)
    found = [name for block in graph.blocks for element in block.elements for name in bound_names(element)]
    assert found == ["b", "c", "d", "e", "f", "g", "h", "i", "j", "m", "o", "p", "r", "t", "u", "v"]
