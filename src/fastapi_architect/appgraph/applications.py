"""Applications and their operations: each `FastAPI()` walked through its includes and mounts."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.loop_rounds import LoopRounds
from fastapi_architect.appgraph.middleware import Lifespan, Middleware, MiddlewareReader
from fastapi_architect.appgraph.path_operations import Inclusion, PathOperation
from fastapi_architect.appgraph.path_texts import UNKNOWN_PART, path_text
from fastapi_architect.appgraph.registrations import RegistrationReader, Way, shown
from fastapi_architect.appgraph.router_objects import EMPTY, Environment, RouterObject, RouterObjects, Value
from fastapi_architect.appgraph.routers import (
    Event,
    RouterEvents,
    RouterReader,
    Unresolved,
    keyword_arguments,
)
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


class ExceptionHandler(msgspec.Struct, frozen=True, eq=False):
    """A handler for an exception class or status code."""

    exception: ir.Expr | None
    handler: Function | None
    scope: Scope
    location: Location


class Application(msgspec.Struct, frozen=True, eq=False):
    """One `FastAPI()`.

    Attributes:
        name: variable or factory that holds it.
        object: the creating call and its environment.
        root: folder of its module's import root, from the tree's root; "" for the root itself.
        operations: in the order in which they are matched; mounted applications' operations not among them.
        mounts: what is mounted.
        middleware: in order of execution, outermost first.
        mounted: it is mounted in another one; `mount_path` where (the first place), from the outermost application on.
    """

    name: str
    object: RouterObject
    root: str
    keywords: dict[str, ir.Expr]
    operations: tuple[PathOperation, ...]
    mounts: tuple[Mount, ...]
    middleware: tuple[Middleware, ...]
    exception_handlers: tuple[ExceptionHandler, ...]
    lifespan: Lifespan
    unresolved: tuple[Unresolved, ...]
    mount_path: str = ""
    mounted: bool = False

    @property
    def location(self) -> Location:
        """The creating call."""
        return self.object.location

    @property
    def scope(self) -> Scope:
        """The body that creates it."""
        return self.object.scope

    @property
    def module_path(self) -> str:
        """File that creates it."""
        return self.object.scope.module.path


class ApplicationReader:
    """Builds every application of a program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._inference = program.inference
        self._objects = RouterObjects(program)
        self._rounds = LoopRounds(self._objects)
        self._routers = RouterReader(program, self._objects)
        self._registrations = RegistrationReader(program, self._objects, self._routers)
        self._middleware = MiddlewareReader(program, self._objects, self._routers)
        self._events = RouterEvents()
        self._built: tuple[Application, ...] = ()
        self._reached: set[int] = set()
        self._class_order: dict[int, tuple[Class | str, ...]] = {}

    def applications(self) -> tuple[Application, ...]:
        """Every application, mounted ones too, in order of files; those of tests left out."""
        self._events = self._routers.events()
        for each in self._created("application"):
            self._events.objects.setdefault(id(each.creation), each)
        roots = [o for o in self._events.objects.values() if o.kind == "application"]
        roots = [each for each in sorted(roots, key=_place) if each.scope.module.kind != "test"]
        self._built = tuple(self._mark_mounted(self._with_floating([self._application(r) for r in roots])))
        return self._built

    def strays(self) -> Application | None:
        """What is registered on no application of the tree: one application, of which only the operations are known.

        Parameters that stand for an application which a caller outside the tree creates; and, in a tree without any
        application, its routers: a folder of routers may be all that is looked at, or a package whose users bring the rest.
        """
        found = sorted(self._events.borrowed.values(), key=_place)
        if not self._built:
            found = sorted([*found, *self.routers()], key=_place)
        found = [r for r in found if r.scope.module.kind in ("source", "generated")]
        operations = self._outermost(found)
        if not operations:
            return None
        first = found[0]
        return Application(
            first.name or "router", first, first.scope.module.root.replace("^", "").replace(".", "/"), {},
            tuple(replace(each, floating=True) for each in operations), (), (), (),
            Lifespan(None, False, (), ()), (),
        )  # fmt: skip

    def _outermost(self, objects: list[RouterObject]) -> list[PathOperation]:
        """Operations of some objects, those of routers that another of them includes told once."""
        walked: dict[int, list[PathOperation]] = {}
        inner: set[int] = set()
        before = self._reached
        for each in objects:
            self._reached = set()
            self._walk(each, Way(), walked.setdefault(id(each.creation), []), [], [])
            inner |= self._reached - {id(each.creation)}
        self._reached = before.union(inner, walked)
        return [o for key, found in walked.items() if key not in inner for o in found]

    def unresolved(self) -> tuple[Unresolved, ...]:
        """Router calls that concern no known object."""
        return tuple(self._events.unresolved)

    def included_creations(self) -> set[int]:
        """Identities of creating calls of routers that some walk has reached."""
        return set(self._reached)

    def routers(self) -> list[RouterObject]:
        """Every router that is created, in order of files."""
        found = {id(o.creation): o for o in self._events.objects.values() if o.kind == "router"}
        for each in self._created("router"):
            found.setdefault(id(each.creation), each)
        return sorted(found.values(), key=_place)

    def _created(self, kind: str) -> Iterator[RouterObject]:
        names = {"application": {"FastAPI"}, "router": {"APIRouter"}}[kind]
        subclasses = {
            c.name for c in self._program.classes if c.node.bases and self._objects.kind_of(c) == kind
        }
        for name in sorted(names | subclasses):
            for site in self._program.call_sites_named(name):
                for each in self._objects.objects(site.node, site.scope):
                    if each.kind == kind and each.creation is site.node:
                        yield self._named(each)

    def _named(self, each: RouterObject) -> RouterObject:
        for name, bindings in each.scope.facts.bindings.items():
            if any(b.value is each.creation for b in bindings):
                return replace(each, name=name)
        return each

    def _with_floating(self, built: list[Application]) -> list[Application]:
        """Give routers that only dynamic registration can reach to the one application of their root that has some."""
        dynamic = [a for a in built if a.unresolved]
        if not dynamic:
            return built
        extra: dict[int, list[PathOperation]] = {}
        for router in self.routers():
            module = router.scope.module
            owners = [a for a in dynamic if a.scope.module.root == module.root]
            if (
                id(router.creation) in self._reached
                or module.kind not in ("source", "generated")
                or len(owners) != 1
            ):
                continue
            operations: list[PathOperation] = []
            self._walk(router, Way(), operations, [], [])
            extra.setdefault(id(owners[0]), []).extend(replace(o, floating=True) for o in operations)
        return [replace(a, operations=(*a.operations, *extra[id(a)])) if id(a) in extra else a for a in built]

    def _mark_mounted(self, built: list[Application]) -> Iterator[Application]:
        places: dict[int, tuple[int, str]] = {}
        for a in built:
            for mount in a.mounts:
                if mount.application is not None and mount.application.creation is not a.object.creation:
                    places.setdefault(
                        id(mount.application.creation), (id(a.object.creation), mount.path.rstrip("/"))
                    )
        for application in built:
            key = id(application.object.creation)
            if key in places:
                application = replace(application, mounted=True, mount_path=_mount_path(key, places))
            yield application

    # ── one application ──────────────────────────────────────────────────────────────────────────────────────────

    def _application(self, each: RouterObject) -> Application:
        self._registrations.begin()
        environment = self._environment(each)
        each = replace(each, environment=environment) if environment is not EMPTY else each
        keywords = keyword_arguments(each.creation)
        way = Way(
            dependencies=self._registrations.listed(keywords.get("dependencies"), each.scope, "application")
        )
        operations: list[PathOperation] = []
        mounts: list[Mount] = []
        unresolved: list[Unresolved] = []
        self._walk(each, way, operations, mounts, unresolved)
        events = self._own_events(each)
        return Application(
            each.name or (each.scope.name if isinstance(each.scope, Function) else "app"),
            each,
            each.scope.module.root.replace("^", "").replace(".", "/"),
            keywords,
            tuple(operations),
            tuple(mounts),
            self._middleware.stack(each, events, keywords),
            tuple(self._exception_handlers(events, keywords, each.scope)),
            self._middleware.lifespan(each, events, keywords),
            tuple(unresolved),
        )

    def _environment(self, each: RouterObject) -> Environment:
        """For an application made in a factory: the arguments of the first call outside tests."""
        scope = each.scope
        if not isinstance(scope, Function) or not scope.parameters or each.environment.values:
            return each.environment
        for site in self._program.calls.callers(scope):
            if site.scope.module.kind != "test":
                return self._objects.of_call(scope, site.node, site.scope, EMPTY)
        pairs = {
            p.name: Value(p.default, scope.parent or scope.module, EMPTY)
            for p in scope.parameters
            if p.default is not None
        }
        return EMPTY.bound(scope, pairs, 0)

    def _own_events(self, each: RouterObject) -> list[tuple[Event, Environment]]:
        order = self._class_order.get(id(each.cls))
        if order is None:
            order = (
                tuple(a.cls for a in self._inference.hierarchy.order(each.cls))
                if isinstance(each.cls, Class)
                else ()
            )
            self._class_order[id(each.cls)] = order
        found = []
        for event, way in self._events.of(each, order):
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

    def _walk(
        self,
        each: RouterObject,
        way: Way,
        operations: list[PathOperation],
        mounts: list[Mount],
        unresolved: list[Unresolved],
    ) -> None:
        if each.key in way.keys or len(way.inclusions) > _MAX_NESTING:
            return
        self._reached.add(id(each.creation))
        way = replace(way, keys=way.keys | {each.key})
        if each.kind == "router":
            way = self._through_router(each, way)
        for event, environment in self._own_events(each):
            rounds = [environment]
            if event.context is not None:
                rounds = self._objects.loops(event.context, event.scope, environment)
            for current in rounds:
                taken = self._is_taken(event, current)
                if taken is not False:
                    known = way if taken else replace(way, conditional=True)
                    self._event(each, event, current, known, operations, mounts, unresolved)

    def _is_taken(self, event: Event, environment: Environment) -> bool | None:
        """The round of the loops around an event gets to it; None when that is not known."""
        if event.context is None:
            return True
        return self._rounds.reaches(event.call, event.context, event.scope, environment)

    def _through_router(self, each: RouterObject, way: Way) -> Way:
        keywords = self._router_keywords(each)
        prefix = self._registrations.prefix(keywords.get("prefix"))
        tags = self._registrations.strings(keywords.get("tags"))
        dependencies: tuple[tuple[ir.Expr, Scope, str], ...] = ()
        if "dependencies" in keywords:
            value = keywords["dependencies"]
            dependencies = tuple((v.expr, v.scope, "router") for v in self._objects.elements(value))
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
        self,
        each: RouterObject,
        event: Event,
        environment: Environment,
        way: Way,
        operations: list[PathOperation],
        mounts: list[Mount],
        unresolved: list[Unresolved],
    ) -> None:
        if len(operations) >= _MAX_OPERATIONS:
            if not any(u.reason.startswith("more than") for u in unresolved[-1:]):
                reason = f"more than {_MAX_OPERATIONS} operations; what follows is not read"
                unresolved.append(Unresolved(event.method or event.kind, event.location, reason))
            return
        if event.kind == "include":
            self._include(event, environment, way, operations, mounts, unresolved)
        elif event.kind == "mount":
            self._mount(event, environment, way, mounts)
        elif event.kind in ("route", "plain-route", "websocket"):
            operations.append(self._registrations.operation(each, event, environment, way))

    # ── includes and mounts ──────────────────────────────────────────────────────────────────────────────────────

    def _include(
        self,
        event: Event,
        environment: Environment,
        way: Way,
        operations: list[PathOperation],
        mounts: list[Mount],
        unresolved: list[Unresolved],
    ) -> None:
        keywords = self._objects.arguments(event.call, event.scope, environment)
        first = argument(event.call, 0, None)
        router = keywords.get("router") if first is None else Value(first, event.scope, environment)
        prefix = self._registrations.prefix(keywords.get("prefix"))
        listed = keywords.get("dependencies")
        dependencies = (
            tuple((v.expr, v.scope, "include") for v in self._objects.elements(listed)) if listed else ()
        )
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
            self._walk(self._with(target, reached_by), inner, operations, mounts, unresolved)
        if not found:
            reason = "the included router could not be followed to an APIRouter of this tree"
            what = shown(router.expr if router is not None else None)
            unresolved.append(Unresolved(what, event.location, reason))

    def _with(self, target: RouterObject, way: Environment) -> RouterObject:
        return replace(target, environment=target.environment.merged(way)) if way.values else target

    def _mount(self, event: Event, environment: Environment, way: Way, mounts: list[Mount]) -> None:
        path = argument(event.call, 0, "path")
        target = argument(event.call, 1, "app")
        full = way.outer_prefix
        full += (
            path_text(self._objects, Value(path, event.scope, environment)) if path is not None else _NOWHERE
        )
        found = self._objects.objects(target, event.scope, environment) if target is not None else []
        kind = found[0].kind if found else "unknown"
        application = next((o for o in found if o.kind == "application"), None)
        mounts.append(Mount(full, kind, application, event.location, event.call, event.scope))

    def _exception_handlers(
        self, events: list[tuple[Event, Environment]], keywords: dict[str, ir.Expr], scope: Scope
    ) -> Iterator[ExceptionHandler]:
        for event, environment in events:
            if event.kind == "exception-handler":
                handler = event.handler
                if handler is None:
                    handler = self._routers.function_of(
                        argument(event.call, 1, "handler"), event.scope, environment
                    )
                exception = argument(event.call, 0, "exc_class_or_status_code")
                yield ExceptionHandler(exception, handler, event.scope, event.location)
        given = keywords.get("exception_handlers")
        if given is not None:
            literal, owner = self._inference.expand(given, scope)
            if isinstance(literal, ir.Dict):
                for key, value in zip(literal.keys, literal.values, strict=True):
                    handler = self._routers.function_of(value, owner, EMPTY)
                    yield ExceptionHandler(key, handler, owner, owner.location(value))


def _place(each: RouterObject) -> tuple[str, int]:
    return each.scope.module.path, each.creation.span


def _mount_path(key: int, places: dict[int, tuple[int, str]]) -> str:
    """Where an application stands: paths of all mounts above it, outermost first."""
    path = ""
    seen: set[int] = set()
    while key in places and key not in seen:
        seen.add(key)
        key, text = places[key]
        path = text + path
    return path


def _passes_on(call: ir.Call) -> bool:
    return any(k.arg is None for k in call.keywords)
