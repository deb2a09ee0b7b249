"""Components against their definition."""

import itertools
import random

import pytest

from fastapi_architect.dataflow.components import Components


class Node:
    def __init__(self, number: int) -> None:
        self.number = number
        self.successors: list[Node] = []


def reached(start: Node) -> set[int]:
    found, queue = {start.number}, [start]
    while queue:
        for following in queue.pop().successors:
            if following.number not in found:
                found.add(following.number)
                queue.append(following)
    return found


@pytest.mark.parametrize("seed", range(100))
def test_members_reach_each_other_and_come_behind_what_they_lead_to(seed):
    chance = random.Random(seed)
    nodes = [Node(number) for number in range(chance.randint(1, 12))]
    for node in nodes:
        node.successors = chance.sample(nodes, chance.randint(0, min(3, len(nodes))))
    components = list(Components[Node](lambda node: node.successors).of(nodes))

    assert sorted(node.number for component in components for node in component) == list(range(len(nodes)))
    place = {node.number: position for position, component in enumerate(components) for node in component}
    ways = {node.number: reached(node) for node in nodes}
    for a in nodes:
        for b in nodes:
            together = b.number in ways[a.number] and a.number in ways[b.number]
            assert (place[a.number] == place[b.number]) == (together or a is b)
            if b.number in ways[a.number]:
                assert place[b.number] <= place[a.number]


def test_a_chain_of_ten_thousand_needs_no_recursion():
    nodes = [Node(number) for number in range(10_000)]
    for before, after in itertools.pairwise(nodes):
        before.successors = [after]
    components = list(Components[Node](lambda node: node.successors).of(nodes))
    assert [component[0].number for component in components] == list(reversed(range(10_000)))
