"""By which calls does one function reach another, and does it always get there?"""

from __future__ import annotations

from collections import deque

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site

_MAX_FUNCTIONS = 400
#: Surroundings that may keep a call from being made.
_CONDITIONAL = ("if", "else", "case", "handler", "lambda", "loop", "comprehension")


class Way(msgspec.Struct, frozen=True, eq=False):
    """Calls from a function to another one.

    Attributes:
        hops: call sites, the first in the starting function; empty for the function itself.
        always: no branch, loop or `except` stands between.
        ambiguous: some call on the way may run one of several functions.
    """

    hops: tuple[Site, ...] = ()
    always: bool = True
    ambiguous: bool = False


def is_conditional(site: Site) -> bool:
    """Something around a place may keep it from being run."""
    return site.context.inside(*_CONDITIONAL) is not None


@question_about
def _followed_calls(graph: AppGraph, function: Function) -> tuple[tuple[Site, tuple[Function, ...]], ...]:
    """Calls in a body that run functions of the program, with those functions."""
    targets = graph.program.calls.targets
    return tuple((site, found) for site in function.facts.calls if (found := targets(site)))


@question_about
def ways(graph: AppGraph, start: Function) -> dict[int, Way]:
    """The shortest way from `start` to each function that it reaches, by the function's identity."""
    found: dict[int, Way] = {id(start): Way()}
    queue = deque([start])
    while queue and len(found) < _MAX_FUNCTIONS:
        current = queue.popleft()
        way = found[id(current)]
        for site, targets in _followed_calls(graph, current):
            for target in targets:
                old = found.get(id(target))
                if old is not None and (old.always or not way.always or len(old.hops) <= len(way.hops)):
                    continue  # the way there is as good, or shorter
                always = way.always and not is_conditional(site)
                if old is None or always:
                    found[id(target)] = Way((*way.hops, site), always, way.ambiguous or len(targets) > 1)
                if old is None:
                    queue.append(target)
    return found
