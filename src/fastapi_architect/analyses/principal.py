"""Who is signed in, and what does the client choose? For each operation: which dependency yields the principal, what every
parameter holds, and what is looked up and tested on the way, in those terms.

A dependency that authenticates turns a credential into the caller: what it reads from headers, cookies and the request is the
caller's. What it gives is made of that, however many dependencies stand between. Every other input is the client's choice.
"""

from __future__ import annotations

import msgspec

from fastapi_architect.analyses.body_events import Check, Creation, Digest, Lookup
from fastapi_architect.analyses.digests import DigestReader, digests, stored
from fastapi_architect.analyses.origins import (
    CALLER,
    NOTHING,
    Origin,
    Path,
    Value,
    flat,
    put_in,
    whole,
    within,
)
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.appgraph.security import AccessLevel
from fastapi_architect.program.definitions import Class, Function
from fastapi_architect.program.types import options

#: What of a request the client chooses; everything else of it stands for the caller.
_CHOSEN = ("path_params", "query_params", "json", "body", "form", "stream")
_MAX_DEPTH = 12


class Frame(msgspec.Struct, frozen=True, eq=False):
    """A function that FastAPI runs for an operation, with what its parameters hold.

    Attributes:
        function: the function.
        arguments: parameter to value.
        digest: what it does, in the operation's terms.
    """

    function: Function
    arguments: dict[str, Value]
    digest: Digest


class Story(msgspec.Struct, frozen=True, eq=False):
    """What happens when an operation is asked for.

    Attributes:
        operation: the operation.
        frames: dependencies in order, the handler last.
        refused: inputs about which a dependency refuses.
    """

    operation: PathOperation
    frames: tuple[Frame, ...]
    refused: frozenset[Origin]

    @property
    def lookups(self) -> list[tuple[Frame, Lookup]]:
        """Everything that is looked up, with the function that begins it."""
        return [(frame, lookup) for frame in self.frames for lookup in frame.digest.lookups]

    @property
    def creations(self) -> list[tuple[Frame, Creation]]:
        """Every row that is made, with the function that begins it."""
        return [(frame, creation) for frame in self.frames for creation in frame.digest.creations]

    @property
    def checks(self) -> list[Check]:
        """Everything that is tested."""
        return [check for frame in self.frames for check in frame.digest.checks]

    def is_model(self, name: str) -> bool:
        """The input of that name is an object with fields of its own."""
        return any(
            parameter.name == name
            and any(isinstance(getattr(o, "cls", None), Class) for o in options(parameter.type))
            for parameter in self.operation.all_parameters()
        )

    @property
    def knows_caller(self) -> bool:
        """The handler is told who is calling."""
        return bool(self.frames) and any(CALLER in flat(v) for v in self.frames[-1].arguments.values())


class _Ran(msgspec.Struct, frozen=True, eq=False):
    """What running a dependency gave; the dependency is kept, as it is known by its identity."""

    dependency: Dependency
    value: Value
    frames: tuple[Frame, ...]
    refused: frozenset[Origin]


@question
def _dependencies_ran(_: AppGraph) -> dict[tuple[int | str | None, ...], _Ran]:
    return {}


@question_about
def story(graph: AppGraph, operation: PathOperation) -> Story:
    """What happens when an operation is asked for."""
    return _Teller(graph, operation).tell()


class _Teller:
    """Follows one operation."""

    def __init__(self, graph: AppGraph, operation: PathOperation) -> None:
        self._graph = graph
        self._operation = operation
        self._digests: DigestReader = digests(graph)
        self._frames: list[Frame] = []
        self._refused: set[Origin] = set()
        self._known = _dependencies_ran(graph)

    def tell(self) -> Story:
        operation = self._operation
        arguments: dict[str, Value] = {}
        fields: set[tuple[Path, Origin]] = set()
        for dependency in operation.dependencies:
            value = self._dependency(dependency, 0)
            if dependency.level == "class":
                fields |= within(value, dependency.parameter_name)
            elif dependency.parameter_name:
                arguments[dependency.parameter_name] = value
        handler = operation.handler
        if handler is not None:
            for parameter in operation.parameters:
                arguments.setdefault(parameter.name, self._input(parameter, guards=False))
            if handler.is_method and handler.parameters:
                arguments[handler.parameters[0].name] = frozenset(fields)
            self._run(handler, arguments)
        return Story(operation, tuple(self._frames), frozenset(self._refused))

    def _run(self, function: Function, arguments: dict[str, Value]) -> Value:
        digest = self._digests.applied(function, arguments, None)
        self._frames.append(Frame(function, arguments, digest))
        return digest.gives

    def _dependency(self, dependency: Dependency, depth: int) -> Value:
        """What a dependency gives, with everything below it; trees below one callable are read once for all operations."""
        key = (
            id(dependency.function),
            id(dependency.cls),
            id(dependency.parameters),
            id(dependency.dependencies),
            # Libraries' dependencies have neither function nor inputs: only their names tell them apart.
            dependency.name,
            dependency.instance_of,
        )
        known = self._known.get(key)
        if known is None:
            outer, refused = self._frames, self._refused
            self._frames, self._refused = [], set()
            value = self._of_dependency(dependency, depth)
            known = self._known[key] = _Ran(dependency, value, tuple(self._frames), frozenset(self._refused))
            self._frames, self._refused = outer, refused
        self._frames += known.frames
        self._refused |= known.refused
        return known.value

    def _of_dependency(self, dependency: Dependency, depth: int) -> Value:
        if depth > _MAX_DEPTH:
            return NOTHING
        guard = self._graph.guards.of_dependency(dependency)
        function = dependency.function
        if function is None:
            return whole([CALLER]) if guard is not None else self._library(dependency)
        arguments = {
            child.parameter_name: self._dependency(child, depth + 1) for child in dependency.dependencies
        }
        below = any(self._graph.guards.of_dependency(child) for child in dependency.dependencies)
        guards = guard is not None and not below
        for parameter in dependency.parameters:
            arguments.setdefault(parameter.name, self._input(parameter, guards))
        if dependency.cls is not None and function.name == "__init__":
            return put_in(stored(function, self._digests), arguments)
        value = self._run(function, arguments)
        if guard is not None and guard.level >= AccessLevel.USER:
            self._note_refused(dependency, arguments)
            if not below and not value:
                value = whole([CALLER])
        return value

    def _library(self, dependency: Dependency) -> Value:
        found: set[tuple[Path, Origin]] = set()
        for parameter in dependency.parameters:
            found |= within(self._input(parameter, guards=False), parameter.name)
        return frozenset(found)

    def _note_refused(self, dependency: Dependency, arguments: dict[str, Value]) -> None:
        """A guard that takes an identifier from the path and refuses has looked at it."""
        function = dependency.function
        if function is None or not self._graph.guards.refuses(function):
            return
        for parameter in dependency.parameters:
            if parameter.kind == "path":
                self._refused |= flat(arguments.get(parameter.name, NOTHING))

    def _input(self, parameter: Parameter, guards: bool) -> Value:
        """An input of the request; `guards`: the function that reads it authenticates."""
        if parameter.kind in ("request", "websocket"):
            chosen = [((name,), ("client", name)) for name in _CHOSEN]
            rest = ("state", "user", "auth", "session", "headers", "cookies", "scope", "client")
            return frozenset([*chosen, *(((name,), CALLER) for name in rest)])
        if not parameter.is_input:
            return NOTHING
        if parameter.kind == "cookie" or (guards and parameter.kind != "path"):
            return whole([CALLER])
        return whole([("client", parameter.name)])
