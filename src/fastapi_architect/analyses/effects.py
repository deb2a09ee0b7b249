"""What a request does, through every function that it reaches: queries, writes, outbound calls, messages, files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.cache import RedisCommand
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import (
    BulkWrite,
    Commit,
    DatabaseCall,
    DocumentOperation,
    QueryStart,
    SessionAdd,
    SessionDelete,
)
from fastapi_architect.concepts.filesystem import FileAccess
from fastapi_architect.concepts.http import OutboundRequest, PaidApiCall
from fastapi_architect.concepts.messaging import EmailSend, Enqueue
from fastapi_architect.program.definitions import Function, last_name

#: A request that reaches more functions than this is cut off there, and says so.
_MAX_FUNCTIONS = 400
#: What counts as an effect; their subclasses count with them.
_ACTS: tuple[type[Concept], ...] = (
    SessionAdd, SessionDelete, BulkWrite, QueryStart, DocumentOperation, DatabaseCall, OutboundRequest, PaidApiCall,
    Enqueue, EmailSend, RedisCommand, FileAccess,
)  # fmt: skip


class Effects(msgspec.Struct, frozen=True, eq=False):
    """Everything that some functions do.

    Attributes:
        functions: the functions, entry first.
        round_trips: calls that wait for the database.
        writes: calls that change rows.
        outbound: requests to other hosts.
        messages: tasks and mails handed on.
        redis: commands to Redis.
        files: files written or removed.
        complete: False when the walk was cut off.
    """

    functions: tuple[Function, ...]
    round_trips: tuple[DatabaseCall, ...]
    writes: tuple[Concept, ...]
    outbound: tuple[Concept, ...]
    messages: tuple[Concept, ...]
    redis: tuple[RedisCommand, ...]
    files: tuple[FileAccess, ...]
    complete: bool

    @property
    def changes_state(self) -> Concept | None:
        """The first effect that somebody else can notice; None for a pure read."""
        return next(iter((*self.writes, *self.messages, *self.files, *self.outbound)), None)


class EffectReader:
    """Effects of one graph, kept by function."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._callees: dict[Function, tuple[Function, ...]] = {}
        self._own_acts: dict[Function, list[tuple[type[Concept], list[Concept]]]] = {}
        self._reached: dict[tuple[int, ...], tuple[tuple[Function, ...], bool]] = {}
        self._operations: dict[int, Effects] = {}
        self._handlers: dict[int, Effects] = {}

    def reached(self, functions: Iterable[Function]) -> tuple[tuple[Function, ...], bool]:
        """The functions and all that they call, breadth first; False when cut off."""
        entries = tuple(functions)
        key = tuple(map(id, entries))
        known = self._reached.get(key)
        if known is None:
            known = self._reached[key] = self._walked(entries)
        return known

    def _walked(self, entries: tuple[Function, ...]) -> tuple[tuple[Function, ...], bool]:
        found = list(dict.fromkeys(entries))
        seen = set(found)
        for current in found:  # it grows meanwhile
            if len(found) > _MAX_FUNCTIONS:
                break
            following = [callee for callee in self._called_by(current) if callee not in seen]
            found += following
            seen.update(following)
        return tuple(found[:_MAX_FUNCTIONS]), len(found) <= _MAX_FUNCTIONS

    def _called_by(self, function: Function) -> tuple[Function, ...]:
        """What a body calls, each once, in the order of its calls."""
        known = self._callees.get(function)
        if known is None:
            targets = self._graph.program.calls.targets
            called = dict.fromkeys(each for site in function.facts.calls for each in targets(site))
            known = self._callees[function] = tuple(called)
        return known

    def of_operation(self, operation: PathOperation) -> Effects:
        """What a request to an operation does, its dependencies included."""
        key = id(operation)
        if key not in self._operations:
            self._operations[key] = self.of_functions(operation.functions)
        return self._operations[key]

    def of_handler(self, operation: PathOperation) -> Effects:
        """What the handler does, dependencies left out."""
        key = id(operation.handler)
        if key not in self._handlers:
            handlers = [operation.handler] if operation.handler is not None else []
            self._handlers[key] = self.of_functions(handlers)
        return self._handlers[key]

    def of_functions(self, functions: Iterable[Function]) -> Effects:
        """What some functions do."""
        reached, complete = self.reached(functions)
        does_something = self._acting
        acting = [function for function in reached if id(function) in does_something]
        if not acting:
            return Effects(reached, (), (), (), (), (), (), complete)
        acts = self._acts(acting)
        # Rows that were added travel with the commit; after queries alone it is no query of its own.
        pending = acts[SessionAdd] or acts[SessionDelete]
        calls = (c for c in acts[DatabaseCall] if c.round_trip)
        return Effects(
            reached,
            tuple(c for c in calls if pending or not isinstance(c, Commit)),
            (
                *acts[SessionAdd],
                *acts[SessionDelete],
                *acts[BulkWrite],
                *(q for q in acts[QueryStart] if q.kind in ("insert", "update", "delete")),
                *(d for d in acts[DocumentOperation] if writes_document(d)),
            ),
            (*acts[OutboundRequest], *acts[PaidApiCall]),
            (*acts[Enqueue], *acts[EmailSend]),
            tuple(acts[RedisCommand]),
            tuple(f for f in acts[FileAccess] if f.mode in ("write", "delete")),
            complete,
        )

    @cached_property
    def _acting(self) -> frozenset[int]:
        """Bodies that do any of it themselves: few of those that a request runs through."""
        return frozenset().union(*(self._graph.scopes_with(kind) for kind in _ACTS))

    def _acts(self, functions: Iterable[Function]) -> dict[type[Concept], list[Any]]:
        """What some bodies do themselves, by kind."""
        found: dict[type[Concept], list[Any]] = {kind: [] for kind in _ACTS}
        for function in functions:
            for kind, acts in self._own(function):
                found[kind] += acts
        return found

    def _own(self, function: Function) -> list[tuple[type[Concept], list[Concept]]]:
        """What a body does itself: few kinds in any one body."""
        known = self._own_acts.get(function)
        if known is None:
            found = ((kind, self._graph.within(kind, function)) for kind in _ACTS)
            known = self._own_acts[function] = [(kind, acts) for kind, acts in found if acts]
        return known


def writes_document(operation: DocumentOperation) -> bool:
    """The operation changes documents, by its name."""
    return last_name(operation.node.func).startswith(
        ("insert", "update", "delete", "replace", "bulk", "find_one_and")
    )


@question
def effects(graph: AppGraph) -> EffectReader:
    """The reader of a graph; one for each graph, so that what rules ask is computed once."""
    return EffectReader(graph)
