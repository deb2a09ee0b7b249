"""What a request does, through every function that it reaches: queries, writes, outbound calls, messages, files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.kept import Kept
from fastapi_architect.appgraph.path_operations import PathOperation
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
        self._reached: dict[int, tuple[tuple[Function, ...], bool]] = {}
        self._operations: dict[int, Effects] = {}
        self._handlers: dict[int, Effects] = {}

    def reached(self, functions: Iterable[Function]) -> tuple[tuple[Function, ...], bool]:
        """The functions and all that they call, breadth first; False when cut off."""
        found: dict[int, Function] = {}
        queue = list(functions)
        calls = self._graph.program.calls
        while queue and len(found) < _MAX_FUNCTIONS:
            current = queue.pop(0)
            if id(current) in found:
                continue
            found[id(current)] = current
            for site in current.facts.calls:
                queue += [target for target in calls.targets(site) if id(target) not in found]
        return tuple(found.values()), not queue

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
        writes: list[Concept] = [
            c for kind in (SessionAdd, SessionDelete, BulkWrite) for c in self._in(kind, reached)
        ]
        writes += [q for q in self._in(QueryStart, reached) if q.kind in ("insert", "update", "delete")]
        writes += [d for d in self._in(DocumentOperation, reached) if _writes_document(d)]
        # Rows that were added travel with the commit; after queries alone it is no query of its own.
        pending = any(isinstance(write, SessionAdd | SessionDelete) for write in writes)
        calls = (c for c in self._in(DatabaseCall, reached) if c.round_trip)
        return Effects(
            reached,
            tuple(c for c in calls if pending or not isinstance(c, Commit)),
            tuple(writes),
            (*self._in(OutboundRequest, reached), *self._in(PaidApiCall, reached)),
            (*self._in(Enqueue, reached), *self._in(EmailSend, reached)),
            tuple(self._in(RedisCommand, reached)),
            tuple(f for f in self._in(FileAccess, reached) if f.mode in ("write", "delete")),
            complete,
        )

    def _in(self, concept: type[ConceptT], functions: Iterable[Function]) -> Iterator[ConceptT]:
        for function in functions:
            yield from self._graph.within(concept, function)


def _writes_document(operation: DocumentOperation) -> bool:
    return last_name(operation.node.func).startswith(
        ("insert", "update", "delete", "replace", "bulk", "find_one_and")
    )


_READERS: Kept[EffectReader] = Kept()


def effects(graph: AppGraph) -> EffectReader:
    """The reader of a graph; one for each graph, so that what rules ask is computed once."""
    reader = _READERS.get(graph)
    if reader is None:
        reader = _READERS[graph] = EffectReader(graph)
    return reader
