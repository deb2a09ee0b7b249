"""One registration on an application or router, with what was gathered on the way to it, as an operation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.dependencies import Dependency, DependencyReader
from fastapi_architect.appgraph.endpoint_classes import endpoint_methods
from fastapi_architect.appgraph.list_contents import ListContents
from fastapi_architect.appgraph.parameters import Parameter, ParameterReader
from fastapi_architect.appgraph.path_operations import Inclusion, PathOperation, path_parameters
from fastapi_architect.appgraph.path_texts import path_text
from fastapi_architect.appgraph.router_objects import EMPTY, Environment, RouterObject, RouterObjects, Value
from fastapi_architect.appgraph.routers import (
    HTTP_METHODS,
    Event,
    RouterReader,
    endpoint_argument,
    keyword_arguments,
)
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, dotted_name, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import Type
from fastapi_architect.syntax import ir

_KINDS = {"route": "http", "plain-route": "plain", "websocket": "websocket"}
_STARLETTE_SOCKETS = ("add_websocket_route", "websocket_route")


class Way(msgspec.Struct, frozen=True, eq=False):
    """What has been gathered on the way from the application to a router."""

    prefix: str = ""
    #: The prefix without that of the router itself, which mounts and plain routes do not get.
    outer_prefix: str = ""
    dependencies: tuple[tuple[ir.Expr, Scope, str], ...] = ()
    tags: tuple[str, ...] = ()
    inclusions: tuple[Inclusion, ...] = ()
    conditional: bool = False
    in_schema: bool = True
    deprecated: bool = False
    #: Something on the way runs before the operation and is not known.
    floating: bool = False
    keys: frozenset[tuple[int, ...]] = frozenset()


class RegistrationReader:
    """Reads registrations.

    Attributes:
        dependencies: reads what runs before an operation.
    """

    def __init__(self, program: Program, objects: RouterObjects, routers: RouterReader) -> None:
        self._program = program
        self._inference = program.inference
        self._objects = objects
        self._routers = routers
        self._lists = ListContents(program, objects)
        self._parameters = ParameterReader(program)
        self.dependencies = DependencyReader(program, self._parameters)
        self._order = 0

    def begin(self) -> None:
        """A new application: its operations are counted from the first."""
        self._order = 0

    # ── operations ───────────────────────────────────────────────────────────────────────────────────────────────

    def operations(
        self, each: RouterObject, event: Event, environment: Environment, way: Way
    ) -> Iterator[PathOperation]:
        """The operations that a call or decorator on `each` makes: one, or one for each method of an endpoint class."""
        methods: dict[str, Function] = {}
        if event.handler is None and event.kind != "route":
            methods = endpoint_methods(self._program, endpoint_argument(event), event.scope)
        for name, function in methods.items():
            through = "" if event.kind == "websocket" else name
            yield self._operation(each, replace(event, handler=function, through=through), environment, way)
        if not methods:
            yield self._operation(each, event, environment, way)

    def _operation(
        self, each: RouterObject, event: Event, environment: Environment, way: Way
    ) -> PathOperation:
        path = self._path(event, environment, way)
        handler = event.handler
        if handler is None:
            handler = self._routers.function_of(endpoint_argument(event), event.scope, environment)
        keywords = keyword_arguments(event.call)
        names = frozenset(path_parameters(path))
        is_plain = each.kind == "starlette" or event.kind == "plain-route"
        kind = "plain" if is_plain and event.kind != "websocket" else _KINDS[event.kind]
        before: tuple[Dependency, ...] = ()
        if is_plain or _is_socket_of_starlette(event):
            parameters, dependencies = tuple(self._received(handler, kind)), before
        else:
            parameters, dependencies = self._inputs(handler, event, names)
            listed = self.listed(keywords.get("dependencies"), event.scope, "route")
            before = tuple(self.declared((*way.dependencies, *listed), names))
        model, model_scope, response_type = self._response(handler, keywords, event.scope, environment)
        self._order += 1
        status = self._objects.value(keywords.get("status_code"), event.scope, environment)
        in_schema = self._objects.value(keywords.get("include_in_schema"), event.scope, environment)
        tags = Value(keywords["tags"], event.scope, environment) if "tags" in keywords else None
        return PathOperation(
            self._methods(event, environment),
            path,
            handler,
            handler.full_name if handler is not None else shown(endpoint_argument(event)),
            handler.location() if handler is not None else event.location,
            (event.call, event.scope),
            each.location,
            parameters,
            before + dependencies,
            model,
            response_type,
            model_scope,
            int(status) if isinstance(status, int) else None,
            way.inclusions,
            keywords,
            keyword_arguments(each.creation),
            way.tags + self.strings(tags),
            kind,
            way.conditional or event.conditional,
            event.view,
            self._order,
            way.in_schema and in_schema is not False and not is_plain,
            way.deprecated
            or self._objects.value(keywords.get("deprecated"), event.scope, environment) is True,
            way.floating or (is_plain and "middleware" in keywords),
        )

    def _path(self, event: Event, environment: Environment, way: Way) -> str:
        given = argument(event.call, 0, "path")
        text = path_text(self._objects, Value(given, event.scope, environment)) if given is not None else ""
        # Starlette's own registrations know nothing of a router's prefix.
        is_outer = event.kind == "plain-route" or _is_socket_of_starlette(event)
        return ((way.outer_prefix if is_outer else way.prefix) + text) or "/"

    def _received(self, handler: Function | None, kind: str) -> Iterator[Parameter]:
        """What Starlette hands to a handler: the request or the socket, and to `on_receive` what was sent."""
        if handler is None:
            return
        roles = ("websocket", "body") if kind == "websocket" else ("request",)
        for role, param in zip(roles, handler.parameters[handler.is_method :], strict=False):
            scope = handler.parent or handler.module
            of = self._inference.parameter_type(param, handler)
            yield Parameter(
                param.name, param.name, role, True, param.annotation, of, None, None, scope, handler, scope.location(param)
            )  # fmt: skip

    def _methods(self, event: Event, environment: Environment) -> tuple[str, ...]:
        if event.kind == "websocket":
            return ("WEBSOCKET",)
        if event.method in HTTP_METHODS:
            return (event.method.upper(),)
        expr = argument(event.call, 2 if event.method == "add_route" else None, "methods")
        if expr is None:
            return ("GET",)
        value = self._objects.value(expr, event.scope, environment)
        if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
            return tuple(sorted({v.upper() for v in value}))
        return ("?",)

    def _inputs(
        self, handler: Function | None, event: Event, names: frozenset[str]
    ) -> tuple[tuple[Parameter, ...], tuple[Dependency, ...]]:
        if handler is None:
            return (), ()
        parameters, dependencies = self.dependencies.signature(handler, names, bound=handler.is_method)
        if event.view is not None:
            dependencies = (*self._view_dependencies(event.view, names), *dependencies)
        return parameters, dependencies

    def _view_dependencies(self, view: Class, names: frozenset[str]) -> Iterator[Dependency]:
        """What a class-based view declares for all its operations: class attributes and `__init__`'s parameters."""
        for entry in reversed(self._inference.hierarchy.order(view)):
            if not isinstance(entry.cls, Class):
                continue
            for name, bindings in entry.cls.facts.bindings.items():
                last = bindings[-1]
                if last.kind not in ("annotated", "assign"):
                    continue
                param = ir.Param(last.node.span, name, "kwonly", last.annotation, last.value)
                self._program.keep(param)
                declared = self._parameters.declared(param, entry.cls, entry.cls)
                if declared.marker_name in ("fastapi.Depends", "fastapi.Security"):
                    yield self.dependencies.injected(declared, names, "class")
        member = self._inference.hierarchy.member(view, "__init__")
        if member is not None and member.function is not None:
            _, below = self.dependencies.signature(member.function, names, bound=True)
            yield from below

    def _response(
        self, handler: Function | None, keywords: dict[str, ir.Expr], scope: Scope, environment: Environment
    ) -> tuple[ir.Expr | None, Scope | None, Type | None]:
        expr = keywords.get("response_model")
        if expr is not None:
            value = self._objects.substituted(expr, scope, environment)
            if isinstance(value.expr, ir.Constant) and value.expr.kind == "none":
                return value.expr, value.scope, None
            return value.expr, value.scope, self._inference.annotation(value.expr, value.scope)
        if handler is not None and handler.node.returns is not None:
            where = handler.parent or handler.module
            return handler.node.returns, where, self._inference.annotation(handler.node.returns, where)
        return None, None, None

    # ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────

    def declared(
        self, listed: Iterable[tuple[ir.Expr, Scope, str]], names: frozenset[str]
    ) -> Iterator[Dependency]:
        """The dependencies that elements of `dependencies=[...]` declare, for a path with these names."""
        for expr, scope, level in listed:
            found = self.dependencies.declared_in_list(expr, scope, level, names)
            if found is not None:
                yield found

    def prefix(self, value: Value | None) -> str:
        """A `prefix=` argument; nothing without one."""
        return path_text(self._objects, value) if value is not None else ""

    def strings(self, value: Value | None) -> tuple[str, ...]:
        """A list of texts, such as `tags=`."""
        found = self._objects.value(value.expr, value.scope, value.environment) if value is not None else ()
        return tuple(str(v) for v in found) if isinstance(found, list | tuple) else ()

    def flag(self, value: Value | None, *, default: bool) -> bool:
        """A truth value, `default` where it is not known."""
        found = (
            self._objects.value(value.expr, value.scope, value.environment) if value is not None else default
        )
        return found if isinstance(found, bool) else default

    def listed(
        self, expr: ir.Expr | None, scope: Scope, level: str
    ) -> tuple[tuple[ir.Expr, Scope, str], ...]:
        """Elements of a `dependencies=[...]` argument."""
        return self.listed_in(Value(expr, scope, EMPTY), level) if expr is not None else ()

    def listed_in(self, value: Value, level: str) -> tuple[tuple[ir.Expr, Scope, str], ...]:
        """Elements of a list of dependencies.

        What stands behind a condition counts (`if settings.auth: dependencies.append(...)`, `[...] if settings.auth else []`):
        who turns the switch off lets everybody in, and nothing is missing from the routes.
        """
        if isinstance(value.expr, ir.IfExp):
            arms = (
                Value(arm, value.scope, value.environment) for arm in (value.expr.body, value.expr.orelse)
            )
            return tuple(each for arm in arms for each in self.listed_in(arm, level))
        found = {id(v.expr): v for v in (*self._objects.elements(value), *self._lists.elements(value))}
        return tuple((v.expr, v.scope, level) for v in found.values())


def _is_socket_of_starlette(event: Event) -> bool:
    """FastAPI adds nothing to it: no prefix, no parameters, no dependencies."""
    return event.method in _STARLETTE_SOCKETS or last_name(event.call.func) == "WebSocketRoute"


def shown(expr: ir.Expr | None) -> str:
    """An expression as a reader may know it: its name, or that it is one."""
    return dotted_name(expr) or "<expression>" if expr is not None else "<missing>"
