"""Middleware in the order in which it runs, and what happens at start and stop."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.list_contents import ListContents
from fastapi_architect.appgraph.router_objects import Environment, RouterObject, RouterObjects, Value
from fastapi_architect.appgraph.routers import Event, RouterReader
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, dotted_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, External, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir


class Middleware(msgspec.Struct, frozen=True, eq=False):
    """One middleware.

    Attributes:
        name: canonical dotted name of its class, full name of a decorated function, or as written.
        cls: its class when it belongs to the program.
        function: the function of `@app.middleware("http")`, or the class's `dispatch` or `__call__`.
        keywords: its options; `scope` is where they are read.
        bases: canonical names of the library classes it inherits from.
        position: 0 for the outermost.
    """

    name: str
    cls: Class | None
    function: Function | None
    keywords: dict[str, ir.Expr]
    scope: Scope
    environment: Environment
    location: Location
    bases: tuple[str, ...]
    position: int = 0
    conditional: bool = False


class Lifespan(msgspec.Struct, frozen=True, eq=False):
    """What runs at start and stop.

    Attributes:
        function: the `lifespan=` context manager, None when there is none.
        given: a lifespan was passed, resolved or not.
        startup: handlers of `on_event("startup")`; shutdown: of `on_event("shutdown")`.
    """

    function: Function | None
    given: bool
    startup: tuple[tuple[Function | None, Location], ...]
    shutdown: tuple[tuple[Function | None, Location], ...]


class MiddlewareReader:
    """Reads middleware and lifespan of one application."""

    def __init__(self, program: Program, objects: RouterObjects, routers: RouterReader) -> None:
        self._program = program
        self._inference = program.inference
        self._objects = objects
        self._routers = routers
        self._lists = ListContents(program, objects)

    def stack(
        self, each: RouterObject, events: list[tuple[Event, Environment]], keywords: dict[str, ir.Expr]
    ) -> tuple[Middleware, ...]:
        """In order of execution: the last added is outermost; those of `middleware=[...]` lie innermost in their order."""
        given: list[Middleware] = []
        listed = keywords.get("middleware")
        if listed is not None:
            for value in self._lists.elements(Value(listed, each.scope, each.environment)):
                expr, scope = self._inference.expand(value.expr, value.scope)
                if isinstance(expr, ir.Call) and expr.args:
                    given.append(
                        self._of_class(expr.args[0], expr, scope, value.environment, conditional=False)
                    )
        added: list[Middleware] = []
        for event, environment in events:
            if event.kind != "middleware":
                continue
            if event.handler is not None:
                added.append(self._of_function(event, environment))
            else:
                cls = argument(event.call, 0, "middleware_class")
                if cls is not None:
                    added.append(
                        self._of_class(
                            cls, event.call, event.scope, environment, conditional=event.conditional
                        )
                    )
        ordered = [*reversed(added), *given]
        return tuple(_at(m, index) for index, m in enumerate(ordered))

    def _of_function(self, event: Event, environment: Environment) -> Middleware:
        assert event.handler is not None
        return Middleware(
            event.handler.full_name,
            None,
            event.handler,
            {},
            event.scope,
            environment,
            event.location,
            (),
            conditional=event.conditional,
        )

    def _of_class(
        self, expr: ir.Expr, call: ir.Call, scope: Scope, environment: Environment, *, conditional: bool
    ) -> Middleware:
        keywords = {k.arg: k.value for k in call.keywords if k.arg is not None}
        value = self._objects.substituted(expr, scope, environment)
        hierarchy = self._inference.hierarchy
        for of in options(self._inference.type_of(value.expr, value.scope)):
            if isinstance(of, ClassRef) and isinstance(of.cls, Class):
                bases = tuple(e.cls for e in hierarchy.order(of.cls) if isinstance(e.cls, str))
                member = hierarchy.member(of.cls, "dispatch") or hierarchy.member(of.cls, "__call__")
                function = member.function if member is not None else None
                return Middleware(
                    of.cls.full_name,
                    of.cls,
                    function,
                    keywords,
                    scope,
                    environment,
                    scope.location(call),
                    bases,
                    conditional=conditional,
                )
            if isinstance(of, ClassRef | External):
                return Middleware(
                    of.name,
                    None,
                    None,
                    keywords,
                    scope,
                    environment,
                    scope.location(call),
                    (of.name,),
                    conditional=conditional,
                )
        name = dotted_name(expr)
        return Middleware(
            name, None, None, keywords, scope, environment, scope.location(call), (), conditional=conditional
        )

    def lifespan(
        self, each: RouterObject, events: list[tuple[Event, Environment]], keywords: dict[str, ir.Expr]
    ) -> Lifespan:
        """Lifespan and event handlers of an application."""
        startup: list[tuple[Function | None, Location]] = []
        shutdown: list[tuple[Function | None, Location]] = []
        for event, environment in events:
            if event.kind != "on-event":
                continue
            name = self._objects.string(argument(event.call, 0, "event_type"), event.scope, environment)
            handler = event.handler
            if handler is None:
                handler = self._routers.function_of(argument(event.call, 1, "func"), event.scope, environment)
            (startup if name == "startup" else shutdown).append((handler, event.location))
        for key, into in (("on_startup", startup), ("on_shutdown", shutdown)):
            if key in keywords:
                for value in self._objects.elements(Value(keywords[key], each.scope, each.environment)):
                    function = self._routers.function_of(value.expr, value.scope, value.environment)
                    into.append((function, value.scope.location(value.expr)))
        given = keywords.get("lifespan")
        function = (
            self._routers.function_of(given, each.scope, each.environment) if given is not None else None
        )
        return Lifespan(function, given is not None, tuple(startup), tuple(shutdown))


def _at(middleware: Middleware, position: int) -> Middleware:
    return replace(middleware, position=position)
