"""From the calls on applications and routers to operations.

First every call on a router object is collected as an event under the object it concerns. Then each application is
walked: events in order, includes and mounts followed, prefixes and dependencies carried along.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.borrowed_applications import BorrowedApplications
from fastapi_architect.appgraph.router_objects import EMPTY, Environment, RouterObject, RouterObjects
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, all_functions, last_name
from fastapi_architect.program.facts import Context
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, FunctionRef, Instance, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

HTTP_METHODS = frozenset({"get", "post", "put", "delete", "patch", "options", "head", "trace"})
#: Methods that decorate a function, and what they register.
DECORATORS = {
    **dict.fromkeys(HTTP_METHODS, "route"),
    "api_route": "route",
    "route": "plain-route",
    "websocket": "websocket",
    "websocket_route": "websocket",
    "middleware": "middleware",
    "exception_handler": "exception-handler",
    "on_event": "on-event",
}
#: Methods that are called with what they register.
CALLS = {
    "include_router": "include",
    "add_api_route": "route",
    "add_route": "plain-route",
    "add_api_websocket_route": "websocket",
    "add_websocket_route": "websocket",
    "mount": "mount",
    "host": "mount",
    "add_middleware": "middleware",
    "add_exception_handler": "exception-handler",
    "add_event_handler": "on-event",
}
#: Classes of routes, by their names, and what they register.
ROUTES = {
    "APIRoute": "route",
    "APIWebSocketRoute": "websocket",
    "Route": "plain-route",
    "WebSocketRoute": "websocket",
    "Mount": "mount",
}


class Event(msgspec.Struct, frozen=True, eq=False):
    """One call on a router object.

    Attributes:
        kind: route, plain-route, websocket, include, mount, middleware, exception-handler, on-event.
        call: the call, and the scope it stands in.
        handler: the decorated function, None for calls that name their handler as an argument.
        view: class whose method is decorated.
        context: surroundings (loops, conditions) of the call.
        order: place in its file, for the order of registration.
        through: method of the router when it is handed to a decorator of the program: `@protected(router.get, "/x")`.
        environment: what that decorator's parameters are.
    """

    kind: str
    call: ir.Call
    scope: Scope
    handler: Function | None
    view: Class | None
    context: Context | None
    order: int
    through: str = ""
    environment: Environment = EMPTY

    @property
    def method(self) -> str:
        """Last name of the called method: `get`, `include_router`."""
        if self.through:
            return self.through
        func = self.call.func
        return func.attr if isinstance(func, ir.Attribute) else ""

    @property
    def location(self) -> Location:
        """Where the call stands."""
        return self.scope.location(self.call)

    @property
    def conditional(self) -> bool:
        """The call stands under an `if`."""
        return self.context is not None and self.context.inside("if", "else", "case") is not None


class Unresolved(msgspec.Struct, frozen=True, eq=False):
    """A call that registers or includes something that could not be followed."""

    what: str
    location: Location
    reason: str


class RouterEvents(msgspec.Struct, eq=False):
    """All events of a program.

    Attributes:
        by_creation: identity of a creating call to its events, each with the environment it happens in and the object
            (one of those that a factory makes, one for each call of it).
        by_class: identity of a router subclass to the events on `self` in its methods.
        objects: every object met, by identity of the creating call.
        borrowed: parameters that stand for an object which nobody in the tree creates, likewise.
        unresolved: events whose router is not known.
    """

    by_creation: dict[int, list[tuple[Event, Environment, RouterObject]]] = msgspec.field(
        default_factory=dict
    )
    by_class: dict[int, list[Event]] = msgspec.field(default_factory=dict)
    objects: dict[int, RouterObject] = msgspec.field(default_factory=dict)
    borrowed: dict[int, RouterObject] = msgspec.field(default_factory=dict)
    unresolved: list[Unresolved] = msgspec.field(default_factory=list)

    def of(
        self, each: RouterObject, hierarchy_order: tuple[Class | str, ...]
    ) -> list[tuple[Event, Environment]]:
        """Events on one object, in order of registration: its class's own first."""
        found: list[tuple[Event, Environment]] = []
        for cls in hierarchy_order:
            if isinstance(cls, Class):
                found += [(event, EMPTY) for event in self.by_class.get(id(cls), ())]
        own = [
            (event, way)
            for event, way, on in self.by_creation.get(id(each.creation), ())
            if each.kind != "router" or each.may_be(on)
        ]
        return found + sorted(own, key=lambda pair: pair[0].order)

    def made_by(self, creation: RouterObject) -> list[RouterObject]:
        """The objects that calls of a factory make by one creating call, as far as something is registered on them."""
        made = [on for _, _, on in self.by_creation.get(id(creation.creation), ()) if on.calls]
        return list({on.calls: on for on in made}.values()) or [creation]


class RouterReader:
    """Collects events."""

    def __init__(self, program: Program, objects: RouterObjects) -> None:
        self._program = program
        self._objects = objects
        self._inference = program.inference
        self._borrowed = BorrowedApplications(program, objects)

    def events(self) -> RouterEvents:
        """Every event of the program."""
        events = RouterEvents()
        for event, target in self._all():
            self._register(events, event, target)
        return events

    def _register(self, events: RouterEvents, event: Event, target: ir.Expr) -> None:
        method, own = self._on_self(event, target)
        if own is not None:
            if method not in DECORATORS and method not in CALLS:  # else its calls are events themselves
                events.by_class.setdefault(id(own), []).append(event)
            return
        scope = event.handler.parent if event.through and event.handler is not None else event.scope
        found = self._objects.targets(target, scope or event.scope)
        known = events.objects
        if all(each.scope.module.kind == "test" for each, _ in found):
            borrowed = self._borrowed.targets(target, scope or event.scope, is_certain=_is_certain(event))
            found, known = (borrowed, events.borrowed) if borrowed else (found, known)
        for each, way in found:
            way = way.merged(event.environment)
            known.setdefault(id(each.creation), each)
            registered = events.by_creation.setdefault(id(each.creation), [])
            if not any(e is event and w.key == way.key and on.calls == each.calls for e, w, on in registered):
                registered.append((event, way, each))
        if not found and self._concerns_routing(event, target):
            reason = "the router it is called on could not be followed to its creation"
            events.unresolved.append(Unresolved(event.method or event.kind, event.location, reason))

    def _concerns_routing(self, event: Event, target: ir.Expr) -> bool:
        """Report only what surely is about routers: other objects have a `get` or `mount` too."""
        if event.kind == "include" or event.method in ("add_api_route", "add_api_websocket_route"):
            return event.scope.module.kind == "source"
        if (
            event.handler is None
            or event.scope.module.kind != "source"
            or event.kind not in ("route", "websocket")
        ):
            return False
        for of in options(self._inference.type_of(target, event.scope)):
            if isinstance(of, Instance) and self._objects.kind_of(of.cls):
                return True
        return False

    def _on_self(self, event: Event, target: ir.Expr) -> tuple[str, Class | None]:
        """The method that calls on `self`, and the router subclass that it belongs to."""
        scope: Scope | None = event.scope
        while scope is not None and not (isinstance(scope, Function) and scope.owner is not None):
            scope = scope.parent
        if not isinstance(scope, Function) or not isinstance(target, ir.Name) or not scope.parameters:
            return "", None
        is_self = target.id == scope.parameters[0].name and scope.is_method
        if is_self and scope.owner is not None and self._objects.kind_of(scope.owner):
            return scope.name, scope.owner
        return "", None

    def _all(self) -> Iterator[tuple[Event, ir.Expr]]:
        yield from self._decorated()
        for name, kind in CALLS.items():
            for site in self._program.call_sites_named(name):
                func = site.node.func
                if not isinstance(func, ir.Attribute) or site.context.role == "decorator":
                    continue
                order = _order(site.scope, site.node)
                yield Event(kind, site.node, site.scope, None, None, site.context, order), func.value
        yield from self._appended()
        yield from self._called_decorators()

    def _appended(self) -> Iterator[tuple[Event, ir.Expr]]:
        """`app.router.routes.append(Route("/x", handler))`."""
        for site in (*self._program.call_sites_named("append"), *self._program.call_sites_named("insert")):
            func = site.node.func
            if not isinstance(func, ir.Attribute) or not isinstance(func.value, ir.Attribute):
                continue
            route = site.node.args[-1] if func.value.attr == "routes" and site.node.args else None
            kind = ROUTES.get(last_name(route.func)) if isinstance(route, ir.Call) else None
            if kind is not None and isinstance(route, ir.Call):
                order = _order(site.scope, site.node)
                yield Event(kind, route, site.scope, None, None, site.context, order), func.value.value

    def _decorated(self) -> Iterator[tuple[Event, ir.Expr]]:
        for module in self._program.modules.values():
            for function in all_functions(module):
                for decorator in reversed(function.node.decorators):  # the lowest registers first
                    if not isinstance(decorator, ir.Call):
                        continue
                    handed = next(
                        (a for a in decorator.args if isinstance(a, ir.Attribute) and _is_route_method(a)),
                        None,
                    )
                    if handed is not None:
                        yield from self._through_decorator(decorator, handed, function)
                    if not isinstance(decorator.func, ir.Attribute):
                        continue
                    kind = DECORATORS.get(decorator.func.attr)
                    if kind is not None:
                        yield self._decorator_event(kind, decorator, function), decorator.func.value

    def _through_decorator(
        self, decorator: ir.Call, handed: ir.Attribute, function: Function
    ) -> Iterator[tuple[Event, ir.Expr]]:
        """`@protected_route(router.get, "/x", [Scope.READ])`: the route is what the decorator's body registers."""
        scope = function.parent or function.module
        for of in options(self._inference.type_of(decorator.func, scope)):
            if not isinstance(of, FunctionRef):
                continue
            wrapper = of.function
            position = decorator.args.index(handed)
            if position >= len(wrapper.parameters):
                continue
            name = wrapper.parameters[position].name
            environment = self._objects.of_call(wrapper, decorator, scope, EMPTY)
            for body in (wrapper, *all_functions(wrapper)):
                for site in body.facts.calls_named(name):
                    kind = DECORATORS[handed.attr]
                    order = _order(scope, function.node)
                    event = Event(
                        kind, site.node, site.scope, function, None, None, order, handed.attr, environment
                    )
                    yield event, handed.value

    def _decorator_event(self, kind: str, decorator: ir.Call, function: Function) -> Event:
        scope = function.parent or function.module
        view = scope if isinstance(scope, Class) else None
        context = self._context_of(decorator, scope)
        return Event(kind, decorator, scope, function, view, context, _order(scope, function.node))

    def _context_of(self, decorator: ir.Call, scope: Scope) -> Context | None:
        if isinstance(scope, Class):
            return None
        return next((s.context for s in scope.facts.calls if s.node is decorator), None)

    def _called_decorators(self) -> Iterator[tuple[Event, ir.Expr]]:
        """`router.get("/x")(handler)`."""
        for module in self._program.mentioning("APIRouter", "FastAPI", "add_api_route", "include_router"):
            for scope in (module, *all_functions(module)):
                if isinstance(scope, Function) and not (HTTP_METHODS | {"api_route"}) & set(
                    scope.node.called
                ):
                    continue
                for site in scope.facts.calls:
                    inner = site.node.func
                    if (
                        not isinstance(inner, ir.Call)
                        or not isinstance(inner.func, ir.Attribute)
                        or not site.node.args
                    ):
                        continue
                    kind = DECORATORS.get(inner.func.attr)
                    handler = self.function_of(site.node.args[0], scope, EMPTY)
                    if kind is not None and handler is not None:
                        order = _order(scope, site.node)
                        yield Event(kind, inner, scope, handler, None, site.context, order), inner.func.value

    def function_of(self, expr: ir.Expr | None, scope: Scope, environment: Environment) -> Function | None:
        """The function that an endpoint argument means: a function, a method, a callable instance or a factory's result."""
        if expr is None:
            return None
        value = self._objects.substituted(expr, scope, environment)
        for of in options(self._inference.type_of(value.expr, value.scope)):
            if isinstance(of, FunctionRef):
                return of.function
            if isinstance(of, Instance | ClassRef) and isinstance(of.cls, Class) and isinstance(of, Instance):
                member = self._inference.hierarchy.member(of.cls, "__call__")
                if member is not None:
                    return member.function
        return None


def _is_certain(event: Event) -> bool:
    """A function is registered under a path: no other object has such a method."""
    path = argument(event.call, 0, "path")
    if isinstance(path, ir.JoinedStr) and path.values:
        path = path.values[0]
    text = path.value if isinstance(path, ir.Constant) else None
    return event.handler is not None and isinstance(text, str) and text.startswith("/")


def _is_route_method(expr: ir.Attribute) -> bool:
    """`router.get`, not called."""
    return expr.attr in HTTP_METHODS or expr.attr == "api_route"


def _order(scope: Scope, node: ir.Node) -> int:
    del scope
    return node.span


def keyword_arguments(call: ir.Call) -> dict[str, ir.Expr]:
    """Named arguments of a call; `**` ones left out."""
    return {k.arg: k.value for k in call.keywords if k.arg is not None}


def endpoint_argument(event: Event) -> ir.Expr | None:
    """The handler given to `add_api_route` and its kin."""
    position = 1
    return argument(event.call, position, "endpoint") or argument(event.call, None, "route")
