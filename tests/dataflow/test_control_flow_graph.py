"""Flow graphs against what Python does."""

from itertools import pairwise

import pytest
from tests.appgraph.sample import program_of
from tests.dataflow.random_functions import executions, function, source

from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir

SEEDS = range(150)


def graph_of(text: str) -> ControlFlowGraph:
    return ControlFlowGraph(program_of(text).functions[0])


def marks(of: Function) -> dict[int, Site]:
    """Number to call site of each `t(number)`."""
    return {site.node.args[0].value: site for site in of.facts.calls_named("t")}


def successors(graph: ControlFlowGraph) -> dict[int, set[int]]:
    """Each mark (0 stands for the entry) to the marks that may be executed next; an exception leaves a mark executed."""
    numbers = {id(site.statement): number for number, site in marks(graph.function).items()}
    starts: dict[int, list[tuple[int, int]]] = {0: [(graph.entry, 0)]}
    for block in graph.blocks:
        for position, element in enumerate(block.elements):
            if id(element) in numbers:
                starts.setdefault(numbers[id(element)], []).append((block.index, position + 1))
    found: dict[int, set[int]] = {}
    for number, places in starts.items():
        following: set[int] = set()
        queue, seen = list(places), set(places)
        while queue:
            index, position = queue.pop()
            elements = graph.blocks[index].elements
            hit = next((numbers[id(e)] for e in elements[position:] if id(e) in numbers), None)
            if hit is not None:
                following.add(hit)
                continue
            for edge in graph.blocks[index].successors:
                if (edge.target, 0) not in seen:
                    seen.add((edge.target, 0))
                    queue.append((edge.target, 0))
        found[number] = following
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_every_execution_is_a_walk_through_the_graph(seed):
    following = successors(ControlFlowGraph(function(seed)))
    for executed in executions(seed):
        numbers = [0, *(number for number, _ in executed)]
        strange = [(a, b) for a, b in pairwise(numbers) if b not in following[a]]
        assert strange == [], source(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_edges_are_known_at_both_ends(seed):
    graph = ControlFlowGraph(function(seed))
    leaving = {id(edge) for block in graph.blocks for edge in block.successors}
    entering = {id(edge) for block in graph.blocks for edge in block.predecessors}
    assert leaving == entering
    assert all(edge.source == block.index for block in graph.blocks for edge in block.successors)


def test_nothing_is_made_up_between_ways_out_of_a_finally():
    # The jump out of the loop passes the `finally`, and so does the normal end; neither leads where the other goes.
    graph = graph_of("""
        def f(x):
            while c():
                try:
                    if c():
                        t(1)
                        break
                    t(2)
                finally:
                    t(3)
                t(4)
            t(5)
        """)
    assert successors(graph)[2] == {3}
    # Behind a `break`, 4 is never next; only the merged view of both copies of 3 has both.
    blocks = [block for block in graph.blocks if any(_number(e) == 3 for e in block.elements)]
    assert len(blocks) >= 2


def _number(element: object) -> int | None:
    if isinstance(element, ir.ExprStmt) and isinstance(element.value, ir.Call):
        return element.value.args[0].value
    return None


def test_deeply_nested_finally_bodies_stay_small():
    nested = "def f(x):\n"
    for depth in range(12):
        nested += "    " * (depth + 1) + "try:\n" + "    " * (depth + 2) + "return t(1)\n"
        nested += "    " * (depth + 1) + "finally:\n"
    nested += "    " * 13 + "t(2)\n"
    assert len(graph_of(nested).blocks) < 5000


def test_await_points_are_where_others_may_run():
    graph = graph_of("""
        async def f(session):
            a = 1
            await session.flush()
            async with session.begin():
                b = 2
            async for row in session:
                c = 3
            return a
        """)
    lines = sorted(
        {
            graph.function.location(graph.blocks[block].elements[position]).line
            for block, position in graph.await_points()
        }
    )
    assert lines == [4, 5, 7]


def test_code_behind_a_return_is_not_reached():
    graph = graph_of("""
        def f(x):
            t(1)
            return
            t(2)
        """)
    assert successors(graph)[1] == set()
    (place,) = graph.places_of(marks(graph.function)[2])
    assert place[0] not in graph.reverse_postorder()
