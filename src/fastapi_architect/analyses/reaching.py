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


class _Step(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A call in a body that runs a function of the program."""

    target: Function
    site: Site
    always: bool
    ambiguous: bool


@question_about
def _steps(graph: AppGraph, function: Function) -> tuple[_Step, ...]:
    """For each function that a body calls its first call, and its first that is always made; in order of calls."""
    targets = graph.program.calls.targets
    found: list[_Step] = []
    surely: dict[Function, bool] = {}
    for site in function.facts.calls:
        called = targets(site)
        always = bool(called) and not is_conditional(site)
        for target in called:
            if target not in surely or (always and not surely[target]):
                surely[target] = always
                found.append(_Step(target, site, always, len(called) > 1))
    return tuple(found)


@question_about
def ways(graph: AppGraph, start: Function) -> dict[int, Way]:
    """The shortest way from `start` to each function that it reaches, by the function's identity."""
    found: dict[int, Way] = {id(start): Way()}
    queue = deque([start])
    while queue and len(found) < _MAX_FUNCTIONS:
        current = queue.popleft()
        way = found[id(current)]
        for step in _steps(graph, current):
            old = found.get(id(step.target))
            if old is not None and (old.always or not way.always or len(old.hops) <= len(way.hops)):
                continue  # the way there is as good, or shorter
            always = way.always and step.always
            if old is None or always:
                found[id(step.target)] = Way((*way.hops, step.site), always, way.ambiguous or step.ambiguous)
            if old is None:
                queue.append(step.target)
    return found
