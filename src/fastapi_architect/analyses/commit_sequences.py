"""What belongs together and is committed one after the other?

A row and the rows that point to it are one thing to whoever asked for it: an order and its lines, an account and its role.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import msgspec

from fastapi_architect.analyses.row_writes import RowWrite, row_writes
from fastapi_architect.analyses.session_flow import Trace, session_flow
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph
from fastapi_architect.dataflow.dominance import Dominance
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site


class Half(msgspec.Struct, frozen=True, eq=False):
    """A new row of `model` and the commit that makes it permanent; both lie in one function or below it."""

    model: Model
    write: Trace
    commit: Trace


class CommitSequence(msgspec.Struct, frozen=True, eq=False):
    """A function commits a new row before the rows that point to it are written.

    Attributes:
        function: where the first commit and the other writes part.
        first: the row that is there when the rest fails.
        rest: rows that refer to its table, committed later, in order.
    """

    function: Function
    first: Half
    rest: tuple[Half, ...]


@question
def commit_sequences(graph: AppGraph) -> tuple[CommitSequence, ...]:
    """All of them in functions that requests reach, in order of functions."""
    inserts: dict[int, list[RowWrite]] = {}
    for write in row_writes(graph):
        if write.kind == "insert":
            inserts.setdefault(id(write.site.node), []).append(write)
    flow = session_flow(graph)
    found: list[CommitSequence] = []
    for function in graph.program.functions:
        committed = flow.summary(function).committed
        if len(committed) > 1 and function.module.kind == "source" and graph.entries(function):
            halves = list(_halves(committed, inserts, function))
            found += _sequences(function, halves)
    return tuple(found)


def _halves(
    committed: tuple[tuple[Trace, Trace], ...], inserts: dict[int, list[RowWrite]], function: Function
) -> Iterator[Half]:
    for write, commit in sorted(committed, key=lambda pair: pair[1].site.node.span):
        if commit.site.scope is function and commit.site.context.inside("handler", "finally") is None:
            for row in inserts.get(id(write.act.site.node), ()):
                yield Half(row.model, write, commit)


def _sequences(function: Function, halves: list[Half]) -> Iterator[CommitSequence]:
    pairs = [pair for pair in combinations(halves, 2) if _are_linked(*pair)]
    if not pairs:
        return
    dominance = Dominance(ControlFlowGraph(function))
    rest: dict[int, list[Half]] = {}
    for first, second in pairs:
        if _follows(dominance, first.commit.site, second.write.site):
            known = rest.setdefault(id(first), [])
            if all(half.model is not second.model for half in known):
                known.append(second)
    commits: set[int] = set()
    for half in halves:
        if id(half) in rest and id(half.commit.site.node) not in commits:
            commits.add(id(half.commit.site.node))
            yield CommitSequence(function, half, tuple(rest[id(half)]))


def _are_linked(first: Half, second: Half) -> bool:
    """The second points to the first, and another commit ends it."""
    table = first.model.table.name
    points = any(key.table.rpartition(".")[2] == table for key in second.model.table.foreign_keys)
    return bool(
        table
        and points
        and first.model is not second.model
        and first.commit.site.node is not second.commit.site.node
    )


def _follows(dominance: Dominance, commit: Site, write: Site) -> bool:
    """Whoever writes has committed before. A commit in a loop saves progress."""
    return not commit.loops and dominance.dominates(commit, write)
