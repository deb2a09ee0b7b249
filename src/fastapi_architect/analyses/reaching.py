"""By which calls does one function reach another, and does it always get there?"""

from __future__ import annotations

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.kept import Kept
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


def ways(graph: AppGraph, start: Function) -> dict[int, Way]:
    """The shortest way from `start` to each function that it reaches, by the function's identity; kept by graph."""
    known = _WAYS.setdefault(graph, {})
    if id(start) not in known:
        found: dict[int, Way] = {id(start): Way()}
        queue = [start]
        while queue and len(found) < _MAX_FUNCTIONS:
            current = queue.pop(0)
            way = found[id(current)]
            for site in current.facts.calls:
                targets = graph.program.calls.targets(site)
                for target in targets:
                    further = Way(
                        (*way.hops, site),
                        way.always and not is_conditional(site),
                        way.ambiguous or len(targets) > 1,
                    )
                    old = found.get(id(target))
                    if old is None:
                        found[id(target)] = further
                        queue.append(target)
                    elif further.always and not old.always and len(further.hops) == len(old.hops):
                        found[id(target)] = further
        known[id(start)] = found
    return known[id(start)]


_WAYS: Kept[dict[int, dict[int, Way]]] = Kept()
