"""Routes that are written as a list: `Starlette(routes=[Route("/", home), Mount("/shop", routes=[...])])`."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.appgraph.list_contents import ListContents
from fastapi_architect.appgraph.router_objects import Environment, RouterObject, RouterObjects, Value
from fastapi_architect.appgraph.routers import Event
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Scope
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.syntax import ir

APPLICATION = "starlette.applications.Starlette"
#: Class of a route to what it registers; a class that inherits from several is the first.
_KINDS = (
    ("fastapi.routing.APIRoute", "route"),
    ("fastapi.routing.APIWebSocketRoute", "websocket"),
    ("starlette.routing.WebSocketRoute", "websocket"),
    ("starlette.routing.Route", "plain-route"),
    ("starlette.routing.Mount", "mount"),
)


class StarletteRoutes:
    """Reads lists of routes."""

    def __init__(self, program: Program, objects: RouterObjects) -> None:
        self._inference = program.inference
        self._objects = objects
        self._lists = ListContents(program, objects)

    def is_router(self, each: RouterObject) -> bool:
        """Routes alone, without middleware or anything else of an application."""
        return each.kind == "starlette" and not self.is_application(each)

    def is_application(self, each: RouterObject) -> bool:
        """A `Starlette()` that is no `FastAPI()`."""
        return each.kind == "starlette" and self._inference.hierarchy.is_subclass(each.cls, APPLICATION)

    def given(self, each: RouterObject, keywords: dict[str, Value]) -> Value | None:
        """The list that an application or router is created with; `keywords` are the arguments that its class gets."""
        if "routes" in keywords or each.kind != "starlette" or not isinstance(each.cls, str):
            return keywords.get("routes")
        expr = argument(each.creation, 1 if each.cls == APPLICATION else 0, None)
        return Value(expr, each.scope, each.environment) if expr is not None else None

    def listed(self, value: Value) -> Iterator[tuple[Event | RouterObject, Environment]]:
        """Registrations of a list, and the routers whose `routes` it takes over."""
        for content in self._lists.of(value):
            of = content.value
            if content.is_list:
                if isinstance(of.expr, ir.Attribute) and of.expr.attr == "routes":
                    yield from self._objects.targets(of.expr.value, of.scope, of.environment)
                continue
            expr, scope = self._inference.expand(of.expr, of.scope)
            kind = self._kind(expr, scope) if isinstance(expr, ir.Call) else ""
            if kind:
                assert isinstance(expr, ir.Call)
                yield Event(kind, expr, scope, None, None, None, expr.span), of.environment

    def _kind(self, call: ir.Call, scope: Scope) -> str:
        for of in options(self._inference.type_of(call.func, scope)):
            if isinstance(of, ClassRef):
                for name, kind in _KINDS:
                    if self._inference.hierarchy.is_subclass(of.cls, name):
                        return kind
        return ""
