"""What an application or router registers: its calls in order, includes and mounts followed, prefixes and dependencies
carried along.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.loop_rounds import LoopRounds
from fastapi_architect.appgraph.path_operations import Inclusion, PathOperation
from fastapi_architect.appgraph.path_texts import UNKNOWN_PART, path_text
from fastapi_architect.appgraph.registrations import RegistrationReader, Way, shown
from fastapi_architect.appgraph.router_objects import Environment, RouterObject, RouterObjects, Value
from fastapi_architect.appgraph.routers import Event, RouterEvents, RouterReader, Unresolved
from fastapi_architect.appgraph.starlette_routes import StarletteRoutes
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_MAX_NESTING = 20
#: The path of a mount that has none to read.
_NOWHERE = f"/{UNKNOWN_PART}"
#: Operations of one application; routers that include one router twice double with every level.
_MAX_OPERATIONS = 10_000


class Mount(msgspec.Struct, frozen=True, eq=False):
    """Something mounted under a path: another application, static files or any ASGI application.

    Attributes:
        path: full path; kind: application, starlette, static or unknown.
        application: the mounted application's object, None when not known.
    """

    path: str
    kind: str
    application: RouterObject | None
    location: Location
    call: ir.Call
    scope: Scope


class Walked(msgspec.Struct, eq=False):
    """What was met: operations in the order in which they are matched, mounts, and what could not be followed."""

    operations: list[PathOperation] = msgspec.field(default_factory=list)
    mounts: list[Mount] = msgspec.field(default_factory=list)
    unresolved: list[Unresolved] = msgspec.field(default_factory=list)

    def is_full(self, event: Event) -> bool:
        """No more operations are read; the first that is left out is noted."""
        if len(self.operations) < _MAX_OPERATIONS:
            return False
        if not any(u.reason.startswith("more than") for u in self.unresolved[-1:]):
            reason = f"more than {_MAX_OPERATIONS} operations; what follows is not read"
            self.unresolved.append(Unresolved(event.method or event.kind, event.location, reason))
        return True


class RouterWalk:
    """Walks through applications and routers.

    Attributes:
        events: all that is registered in the program.
        reached: identities of the creating calls that were met.
        routes: reads lists of routes.
    """

    def __init__(self, program: Program, objects: RouterObjects, routers: RouterReader) -> None:
        self._inference = program.inference
        self._objects = objects
        self._rounds = LoopRounds(objects)
        self.routes = StarletteRoutes(program, objects)
        self._registrations = RegistrationReader(program, objects, routers)
        self._class_order: dict[int, tuple[Class | str, ...]] = {}
        self.events = RouterEvents()
        self.reached: set[int] = set()

    def from_application(self, each: RouterObject, keywords: dict[str, ir.Expr]) -> Walked:
        """What an application registers, with the dependencies that all its operations have."""
        self._registrations.begin()
        listed = self._registrations.listed(keywords.get("dependencies"), each.scope, "application")
        walked = Walked()
        self._walk(each, Way(dependencies=listed), walked)
        return walked

    def through(self, each: RouterObject) -> Walked:
        """What a router registers, nothing being known of what includes it."""
        walked = Walked()
        self._walk(each, Way(), walked)
        return walked

    def own_events(self, each: RouterObject) -> list[tuple[Event, Environment]]:
        """Calls on the object itself and, for a class of the program, on `self` in its methods."""
        order = self._class_order.get(id(each.cls))
        if order is None:
            order = (
                tuple(a.cls for a in self._inference.hierarchy.order(each.cls))
                if isinstance(each.cls, Class)
                else ()
            )
            self._class_order[id(each.cls)] = order
        found = []
        for event, way in self.events.of(each, order):
            environment = each.environment.merged(way)
            if not order or not isinstance(event.scope, Function) or event.scope.owner not in order:
                found.append((event, environment))
                continue
            member = self._inference.hierarchy.member(each.cls, "__init__")
            if member is not None and member.function is not None:
                inner = self._objects.of_call(member.function, each.creation, each.scope, each.environment)
                environment = environment.merged(inner)
            found.append((event, environment))
        return found

    def _walk(self, each: RouterObject, way: Way, walked: Walked) -> None:
        if each.key in way.keys or len(way.inclusions) > _MAX_NESTING:
            return
        self.reached.add(id(each.creation))
        way = replace(way, keys=way.keys | {each.key})
        keywords = self._router_keywords(each)
        if each.kind != "application":
            way = self._through_router(keywords, way)
        for event, environment in self.own_events(each):
            rounds = [environment]
            if event.context is not None:
                rounds = self._objects.loops(event.context, event.scope, environment)
            for current in rounds:
                taken = self._is_taken(event, current)
                if taken is not False:
                    known = way if taken else replace(way, conditional=True)
                    self._event(each, event, current, known, walked)
        routes = self.routes.given(each, keywords)
        if routes is not None:
            self._listed(each, routes, way, walked)

    def _listed(self, each: RouterObject, routes: Value, way: Way, walked: Walked) -> None:
        """What stands in a list of routes."""
        for found, environment in self.routes.listed(routes):
            if isinstance(found, RouterObject):
                self._walk(self._with(found, environment), way, walked)
            else:
                self._event(each, found, environment, way, walked)

    def _is_taken(self, event: Event, environment: Environment) -> bool | None:
        """The round of the loops around an event gets to it; None when that is not known."""
        if event.context is None:
            return True
        return self._rounds.reaches(event.call, event.context, event.scope, environment)

    def _through_router(self, keywords: dict[str, Value], way: Way) -> Way:
        prefix = self._registrations.prefix(keywords.get("prefix"))
        tags = self._registrations.strings(keywords.get("tags"))
        dependencies: tuple[tuple[ir.Expr, Scope, str], ...] = ()
        if "dependencies" in keywords:
            dependencies = self._registrations.listed_in(keywords["dependencies"], "router")
        return replace(
            way,
            prefix=way.prefix + prefix,
            outer_prefix=way.prefix,
            tags=way.tags + tags,
            dependencies=way.dependencies + dependencies,
            in_schema=way.in_schema
            and self._registrations.flag(keywords.get("include_in_schema"), default=True),
            deprecated=way.deprecated or self._registrations.flag(keywords.get("deprecated"), default=False),
        )

    def _router_keywords(self, each: RouterObject) -> dict[str, Value]:
        """Arguments that reach `APIRouter.__init__`: of the creating call, and of `super().__init__` in subclasses."""
        found = self._objects.arguments(each.creation, each.scope, each.environment)
        if not isinstance(each.cls, Class):
            return found
        member = self._inference.hierarchy.member(each.cls, "__init__")
        if member is None or member.function is None:
            return found
        inner = self._objects.of_call(member.function, each.creation, each.scope, each.environment)
        for site in member.function.facts.calls_named("__init__"):
            func = site.node.func
            if (
                isinstance(func, ir.Attribute)
                and isinstance(func.value, ir.Call)
                and last_name(func.value.func) == "super"
            ):
                passed = self._objects.arguments(site.node, member.function, inner)
                return {**(found if not passed or _passes_on(site.node) else {}), **passed}
        return found

    def _event(
        self, each: RouterObject, event: Event, environment: Environment, way: Way, walked: Walked
    ) -> None:
        if walked.is_full(event):
            return
        if event.kind == "include":
            self._include(event, environment, way, walked)
        elif event.kind == "mount":
            self._mount(each, event, environment, way, walked)
        elif event.kind in ("route", "plain-route", "websocket"):
            walked.operations += self._registrations.operations(each, event, environment, way)

    # ── includes and mounts ──────────────────────────────────────────────────────────────────────────────────────

    def _include(self, event: Event, environment: Environment, way: Way, walked: Walked) -> None:
        keywords = self._objects.arguments(event.call, event.scope, environment)
        first = argument(event.call, 0, None)
        router = keywords.get("router") if first is None else Value(first, event.scope, environment)
        prefix = self._registrations.prefix(keywords.get("prefix"))
        listed = keywords.get("dependencies")
        dependencies = self._registrations.listed_in(listed, "include") if listed else ()
        inner = replace(
            way,
            prefix=way.prefix + prefix,
            dependencies=way.dependencies + dependencies,
            tags=way.tags + self._registrations.strings(keywords.get("tags")),
            conditional=way.conditional or event.conditional,
            in_schema=way.in_schema
            and self._registrations.flag(keywords.get("include_in_schema"), default=True),
            deprecated=way.deprecated or self._registrations.flag(keywords.get("deprecated"), default=False),
        )
        found = (
            self._objects.targets(router.expr, router.scope, router.environment) if router is not None else []
        )
        made = tuple(self._registrations.declared(dependencies, frozenset()))
        inclusion = Inclusion(event.call, event.scope, prefix, made, event.conditional)
        inner = replace(inner, inclusions=(*way.inclusions, inclusion))
        for target, reached_by in found:
            self._walk(self._with(target, reached_by), inner, walked)
        if not found:
            reason = "the included router could not be followed to an APIRouter of this tree"
            what = shown(router.expr if router is not None else None)
            walked.unresolved.append(Unresolved(what, event.location, reason))

    def _with(self, target: RouterObject, way: Environment) -> RouterObject:
        return replace(target, environment=target.environment.merged(way)) if way.values else target

    def _mount(
        self, each: RouterObject, event: Event, environment: Environment, way: Way, walked: Walked
    ) -> None:
        path = argument(event.call, 0, "path")
        target = argument(event.call, 1, "app")
        full = way.outer_prefix
        full += (
            path_text(self._objects, Value(path, event.scope, environment)) if path is not None else _NOWHERE
        )
        is_guarded = argument(event.call, None, "middleware") is not None
        inner = replace(
            way, prefix=full.rstrip("/"), outer_prefix=full.rstrip("/"), floating=way.floating or is_guarded
        )
        found = self._objects.targets(target, event.scope, environment) if target is not None else []
        routers = [(o, reached_by) for o, reached_by in found if self.routes.is_router(o)]
        for router, reached_by in routers:
            self._walk(self._with(router, reached_by), inner, walked)
        listed = argument(event.call, None, "routes")
        if listed is not None:
            self._listed(each, Value(listed, event.scope, environment), inner, walked)
        elif not routers:
            kind = found[0][0].kind if found else "unknown"
            application = next((o for o, _ in found if self._is_application(o)), None)
            walked.mounts.append(Mount(full, kind, application, event.location, event.call, event.scope))

    def _is_application(self, each: RouterObject) -> bool:
        return each.kind == "application" or self.routes.is_application(each)


def _passes_on(call: ir.Call) -> bool:
    return any(k.arg is None for k in call.keywords)
