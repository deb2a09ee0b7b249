"""Operations: what a client may ask for, with everything that stands between the request and the handler."""

from __future__ import annotations

from functools import cached_property

import msgspec

from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.program.definitions import Class, Function, Scope
from fastapi_architect.program.types import Type
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_PATH_PARAMETER = lazy_pattern(r"{([a-zA-Z_]\w*)(?::([a-zA-Z_]\w*))?}")

#: Methods that must not change anything (RFC 9110, section 9.2.1).
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Inclusion(msgspec.Struct, frozen=True, eq=False):
    """One `include_router` (or mount) on the way from the application to the operation.

    Attributes:
        call: the including call, and the scope it stands in.
        prefix: prefix given there; None when it is not known.
        dependencies: dependencies added there.
        conditional: it stands in an `if`.
    """

    call: ir.Call
    scope: Scope
    prefix: str | None
    dependencies: tuple[Dependency, ...]
    conditional: bool = False

    @property
    def location(self) -> Location:
        """Where the router is included."""
        return self.scope.location(self.call)


class PathOperation(msgspec.Struct, frozen=True, eq=False, dict=True):
    """One operation of an application: a method on a full path.

    Attributes:
        methods: upper-case methods, sorted; ("WEBSOCKET",) for a websocket.
        path: full path with every prefix; parts that are not known read `{?}`.
        handler: the function that runs; None for a library's or an unresolved one.
        handler_name: full name of the handler, or as written.
        location: the handler's definition (the registering call when the handler is unknown).
        registration: the decorator or `add_api_route` call with its scope.
        router_location: where the router is created; the application's place for its own operations.
        parameters: inputs of the handler itself.
        dependencies: what runs before: application, includes and router first, then the route, then the parameters.
        response_model: declared type, None when there is none; `response_type` what it stands for.
        status_code: declared success status, None when default or unknown.
        inclusions: from the application inwards.
        keywords: keyword arguments of the registration (and `router_keywords` of the router's creation).
        kind: http, websocket or plain (a Starlette route: no validation, no dependencies).
        conditional: registered or included under an `if`.
        view: the class of a class-based view.
        registered_order: position in the order in which routes are matched.
        floating: its router is included by code that cannot be followed (a loop over found modules): prefix and inherited
            dependencies are not known, so nothing may be concluded from what is missing.
    """

    methods: tuple[str, ...]
    path: str
    handler: Function | None
    handler_name: str
    location: Location
    registration: tuple[ir.Call, Scope]
    router_location: Location
    parameters: tuple[Parameter, ...]
    dependencies: tuple[Dependency, ...]
    response_model: ir.Expr | None
    response_type: Type | None
    response_scope: Scope | None
    status_code: int | None
    inclusions: tuple[Inclusion, ...]
    keywords: dict[str, ir.Expr]
    router_keywords: dict[str, ir.Expr] = msgspec.field(default_factory=dict)
    tags: tuple[str, ...] = ()
    kind: str = "http"
    conditional: bool = False
    view: Class | None = None
    registered_order: int = 0
    in_schema: bool = True
    deprecated: bool = False
    floating: bool = False

    def __str__(self) -> str:
        return f"{'|'.join(self.methods)} {self.path}"

    @property
    def names(self) -> tuple[str, ...]:
        """As reports name it: "GET /users/{id}", one for each method."""
        return tuple(f"{method} {self.path}" for method in self.methods)

    @property
    def is_write(self) -> bool:
        """A method that may change state."""
        return self.kind != "websocket" and not SAFE_METHODS.issuperset(self.methods)

    @property
    def is_websocket(self) -> bool:
        """A websocket."""
        return self.kind == "websocket"

    @property
    def path_names(self) -> tuple[str, ...]:
        """Names of the path's parameters, in order."""
        return path_parameters(self.path)

    def all_dependencies(self) -> tuple[Dependency, ...]:
        """Every dependency of the tree, outer first; what several share is entered once."""
        return self._all_dependencies

    def all_parameters(self) -> tuple[Parameter, ...]:
        """Inputs of the handler and of every dependency; one name and kind once."""
        return self._all_parameters

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Functions of the program that run for a request, dependencies first, the handler last."""
        found = [d.function for d in self.all_dependencies() if d.function is not None]
        return tuple(dict.fromkeys([*found, *([self.handler] if self.handler is not None else [])]))

    @cached_property
    def _all_dependencies(self) -> tuple[Dependency, ...]:
        found: list[Dependency] = []
        entered: set[int] = set()
        stack = list(reversed(self.dependencies))
        while stack:
            dependency = stack.pop()
            found.append(dependency)
            if id(dependency.dependencies) not in entered:
                entered.add(id(dependency.dependencies))
                stack += reversed(dependency.dependencies)
        return tuple(found)

    @cached_property
    def _all_parameters(self) -> tuple[Parameter, ...]:
        found = list(self.parameters)
        seen = {(parameter.alias, parameter.kind) for parameter in found}
        for dependency in self.all_dependencies():
            for parameter in dependency.parameters:
                if (parameter.alias, parameter.kind) not in seen:
                    seen.add((parameter.alias, parameter.kind))
                    found.append(parameter)
        return tuple(found)


def path_parameters(path: str) -> tuple[str, ...]:
    """Names of parameters in a path template, converters left out."""
    return tuple(name for name, _ in _PATH_PARAMETER.findall(path))


def path_converters(path: str) -> dict[str, str]:
    """Name of a path's parameter to its converter, "str" when none is given."""
    return {name: converter or "str" for name, converter in _PATH_PARAMETER.findall(path)}
