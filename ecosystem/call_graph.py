"""Compares the call graph with the calls that a project's own tests were seen to make.

    CALLS_ROOT=TREE CALLS_FILE=calls.json PYTHONPATH=ecosystem VENV/bin/python -m pytest -p call_recorder   # in the project
    python ecosystem/call_graph.py TREE calls.json [--show]

Counted are calls between functions of the project whose caller is reached from an operation: the share that the call graph
has, and over the calls written in those functions that it resolves at all, how many targets each has. What needs no call
in the source (properties, operators, `with`, class bodies) is counted apart. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.definitions import Function
from fastapi_architect.review import reading
from fastapi_architect.review.config import Config
from fastapi_architect.source.tree import SourceTree

LEAST_SHARE = 0.95
MOST_TARGETS = 1.3
MOST_TARGETS_OF_95 = 3
#: Frames that Python names itself stand in the function around them.
_INNER = re.compile(r"\.<(?:listcomp|genexpr|dictcomp|setcomp|lambda)>")
_CALLED = frozenset({"__init__", "__call__"})
_PROPERTIES = ("property", "cached_property", "hybrid_property", "computed_field", "setter")


class Agreement(msgspec.Struct):
    """What the comparison counted.

    Attributes:
        seen: calls that are in the call graph.
        missed: calls that are not, as caller and called.
        implicit: calls that no call in the source shows.
        targets: number of targets of each call site that has any.
    """

    seen: int = 0
    missed: list[tuple[Function, Function]] = msgspec.field(default_factory=list)
    implicit: int = 0
    targets: list[int] = msgspec.field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of the calls that the call graph has."""
        return self.seen / max(1, self.seen + len(self.missed))

    @property
    def mean(self) -> float:
        """Targets of a resolved call site on average."""
        return statistics.fmean(self.targets) if self.targets else 0.0

    @property
    def percentile(self) -> int:
        """Targets of 95 in 100 call sites, at most."""
        return sorted(self.targets)[int(0.95 * (len(self.targets) - 1))] if self.targets else 0


def functions_by_place(graph: AppGraph) -> dict[tuple[str, str], Function]:
    """Functions by file and qualified name, as Python spells it."""
    found: dict[tuple[str, str], Function] = {}
    for function in graph.program.functions:
        if function.module.kind != "test":
            found.setdefault((function.module.path, function.qualname), function)
    return found


def named(functions: dict[tuple[str, str], Function], path: str, qualname: str) -> Function | None:
    """The function that a frame ran; for a comprehension the one around it; None for modules, classes and lambdas."""
    return functions.get((path, _INNER.sub("", qualname).replace(".<locals>", "")))


def compare(graph: AppGraph, pairs: list[list[str]]) -> Agreement:
    """Counts the calls whose caller an operation reaches."""
    functions, result = functions_by_place(graph), Agreement()
    counted: set[tuple[int, int]] = set()
    for from_path, from_name, to_path, to_name in pairs:
        caller, called = named(functions, from_path, from_name), named(functions, to_path, to_name)
        if caller is None or called is None or caller is called or (id(caller), id(called)) in counted:
            continue
        if _INNER.search(to_name) or not graph.entries(caller):
            continue
        counted.add((id(caller), id(called)))
        if called in graph.program.calls.callees(caller):
            result.seen += 1
        elif _needs_no_call(called):
            result.implicit += 1
        else:
            result.missed.append((caller, called))
    reached = (function for function in functions.values() if graph.entries(function))
    result.targets = [number for function in reached for number in _targets(graph, function)]
    return result


def _needs_no_call(function: Function) -> bool:
    special = function.name.startswith("__") and function.name.endswith("__") and function.name not in _CALLED
    return special or any(function.has_decorator(name) for name in _PROPERTIES)


def _targets(graph: AppGraph, function: Function) -> Iterator[int]:
    for site in function.facts.calls:
        number = len(graph.program.calls.targets(site))
        if number:
            yield number


def main() -> int:
    """Prints the figures; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tree", type=Path, help="what CALLS_ROOT named")
    parser.add_argument("calls", type=Path, help="what the plugin wrote")
    parser.add_argument("--show", action="store_true", help="list the calls that are missing")
    given = parser.parse_args()
    pairs = json.loads(given.calls.read_text(encoding="utf-8"))
    graph = reading.read(SourceTree.open(given.tree), Config(), cache=False).graph
    result = compare(graph, pairs)
    print(
        f"calls seen at run time   {result.seen + len(result.missed)} (and {result.implicit} that need no call)"
    )
    print(f"in the call graph        {result.share:.1%} (bar: {LEAST_SHARE:.0%})")
    print(
        f"targets of a call site   {result.mean:.2f} on average (bar: {MOST_TARGETS}), {len(result.targets)} sites"
    )
    print(f"95th percentile          {result.percentile} (bar: {MOST_TARGETS_OF_95})")
    if given.show:
        for caller, called in result.missed:
            print(f"  {caller.module.path}: {caller.qualname} -> {called.module.path}: {called.qualname}")
    good = (
        result.share >= LEAST_SHARE
        and result.mean <= MOST_TARGETS
        and result.percentile <= MOST_TARGETS_OF_95
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
