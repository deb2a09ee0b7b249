"""What a request does, through every function that it reaches: queries, writes, outbound calls, messages, files."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeVar

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

ConceptT = TypeVar("ConceptT", bound=Concept)

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
        self._callees: dict[int, tuple[Function, ...]] = {}
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
        found: dict[int, Function] = {}
        queue = deque(entries)
        known = self._callees
        while queue and len(found) < _MAX_FUNCTIONS:
            current = queue.popleft()
            key = id(current)
            if key not in found:
                found[key] = current
                callees = known[key] if key in known else self._called_by(current)
                if callees:
                    queue += [callee for callee in callees if id(callee) not in found]
        return tuple(found.values()), not queue

    def _called_by(self, function: Function) -> tuple[Function, ...]:
        """What a body calls, each once, in the order of its calls."""
        known = self._callees.get(id(function))
        if known is None:
            targets = self._graph.program.calls.targets
            called = {id(each): each for site in function.facts.calls for each in targets(site)}
            known = self._callees[id(function)] = tuple(called.values())
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
        acting = [function for function in reached if id(function) in self._acting]
        if not acting:
            return Effects(reached, (), (), (), (), (), (), complete)
        writes: list[Concept] = [
            c for kind in (SessionAdd, SessionDelete, BulkWrite) for c in self._in(kind, acting)
        ]
        writes += [q for q in self._in(QueryStart, acting) if q.kind in ("insert", "update", "delete")]
        writes += [d for d in self._in(DocumentOperation, acting) if writes_document(d)]
        # Rows that were added travel with the commit; after queries alone it is no query of its own.
        pending = any(isinstance(write, SessionAdd | SessionDelete) for write in writes)
        calls = (c for c in self._in(DatabaseCall, acting) if c.round_trip)
        return Effects(
            reached,
            tuple(c for c in calls if pending or not isinstance(c, Commit)),
            tuple(writes),
            (*self._in(OutboundRequest, acting), *self._in(PaidApiCall, acting)),
            (*self._in(Enqueue, acting), *self._in(EmailSend, acting)),
            tuple(self._in(RedisCommand, acting)),
            tuple(f for f in self._in(FileAccess, acting) if f.mode in ("write", "delete")),
            complete,
        )

    @cached_property
    def _acting(self) -> frozenset[int]:
        """Bodies that do any of it themselves: few of those that a request runs through."""
        return frozenset().union(*(self._graph.scopes_with(kind) for kind in _ACTS))

    def _in(self, concept: type[ConceptT], functions: Iterable[Function]) -> Iterator[ConceptT]:
        for function in functions:
            yield from self._graph.within(concept, function)


def writes_document(operation: DocumentOperation) -> bool:
    """The operation changes documents, by its name."""
    return last_name(operation.node.func).startswith(
        ("insert", "update", "delete", "replace", "bulk", "find_one_and")
    )


@question
def effects(graph: AppGraph) -> EffectReader:
    """The reader of a graph; one for each graph, so that what rules ask is computed once."""
    return EffectReader(graph)
