"""Which rows of a loop load a relationship one by one: read lazily, and not loaded together with the rows?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.followed_values import Place
from fastapi_architect.analyses.lazy_reads import LazyRead, lazy_reads
from fastapi_architect.analyses.rounds import Round, roots, rounds, skips_round
from fastapi_architect.analyses.row_origins import Origin, origins
from fastapi_architect.analyses.row_writes import models_read_by
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model, Relationship
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Function

#: Loops over no more rows than this are no problem.
_FEW = 3


class LazyRound(msgspec.Struct, frozen=True, eq=False):
    """A relationship that is loaded once for each row of a loop.

    Attributes:
        read: where it is read.
        round: the loop.
        origin: where the rows come from.
        sure: no option of the query is unknown, and no other query is seen to load the targets before.
    """

    read: LazyRead
    round: Round
    origin: Origin
    sure: bool


@question
def lazy_rounds(graph: AppGraph) -> tuple[LazyRound, ...]:
    """Every such reading, in order of files; for each read the loop that is told about most surely."""
    found: dict[tuple[int, str, tuple[str, ...]], LazyRound] = {}
    for read in lazy_reads(graph):
        candidates = list(_of_read(graph, read))
        if candidates:
            best = next((each for each in candidates if each.sure), candidates[0])
            # What the loop itself reads is there when a helper reads it of the same row.
            key = (id(best.round.loop), read.model.name, read.path)
            known = found.get(key)
            if known is None or len(best.round.hops) < len(known.round.hops):
                found[key] = best
    return tuple(found.values())


def _of_read(graph: AppGraph, read: LazyRead) -> Iterator[LazyRound]:
    for each in rounds(graph, roots(read.row), read.site):
        found = origins(graph, read.row, Place(read.function, each.hops))
        loaded_elsewhere = any(origin.loaded.covers(read.path[-1]) for origin in found)
        for origin in found:
            if (read.awaited or not origin.is_async) and loads_each(read, origin, graph):
                told = not (origin.loaded.unknown or loaded_elsewhere or skips_round(each.inner))
                sure = told and not _is_fetched_before(read.relationship, each, graph)
                yield LazyRound(read, each, origin, sure)


def loads_each(read: LazyRead, origin: Origin, graph: AppGraph) -> bool:
    """Reading the relationship of rows of this origin sends a query for each row."""
    relationship = read.relationship
    if origin.kind not in ("query", "relationship") or (origin.single and origin.kind == "query"):
        return False
    if origin.kind == "relationship" and (origin.at_hand or _is_of_one_row(origin, graph)):
        return False
    loaded = origin.loaded
    if loaded.covers(read.path[-1]) or (loaded.limit is not None and loaded.limit <= _FEW):
        return False
    return relationship.uselist or not leads_to_one(relationship, read.model, origin, graph)


def leads_to_one(relationship: Relationship, model: Model, origin: Origin, graph: AppGraph) -> bool:
    """All rows lead to the same object: what they were read from, or what the statement compares with."""
    if origin.relationship is not None and origin.kind == "relationship":
        parent = origin.relationship
        if relationship.attribute == parent.back_populates or relationship.back_populates == parent.attribute:
            return True
        if relationship.target is parent.owner:
            return True
    return bool(keys_of(relationship, model, graph) & origin.loaded.equal)


def _is_of_one_row(origin: Origin, graph: AppGraph) -> bool:
    """The rows were selected by the key of what they lead to: `order.customer` of the orders of one customer."""
    relationship = origin.relationship
    if relationship is None or relationship.uselist:
        return False
    model = graph.database.model_of.get(id(relationship.owner))
    return model is not None and bool(keys_of(relationship, model, graph) & origin.loaded.equal)


def keys_of(relationship: Relationship, model: Model, graph: AppGraph) -> set[str]:
    """The relationship and the columns of the foreign keys that lead where it does, by their names in Python."""
    target = graph.database.model_of.get(id(relationship.target))
    keys = {relationship.attribute}
    for key in model.table.foreign_keys if target is not None else ():
        if target is not None and key.table == target.table.full_name:
            keys |= set(key.columns)
            keys |= {c.attribute for c in model.columns if c.name in key.columns}
    return keys


def _is_fetched_before(relationship: Relationship, each: Round, graph: AppGraph) -> bool:
    """The body with the loop queries the targets itself: the session may hold them already."""
    if relationship.uselist or not isinstance(each.scope, Function):
        return False
    return any(model.cls is relationship.target for model in models_read_by(each.scope, graph))
