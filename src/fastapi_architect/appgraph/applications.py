"""Applications: every `FastAPI()` with all that belongs to it, and what belongs to none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.middleware import Lifespan, Middleware, MiddlewareReader
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.router_objects import EMPTY, Environment, RouterObject, RouterObjects, Value
from fastapi_architect.appgraph.router_walk import Mount, RouterWalk
from fastapi_architect.appgraph.routers import (
    Event,
    RouterReader,
    Unresolved,
    keyword_arguments,
)
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope
from fastapi_architect.program.program import Program
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir


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
        self._routers = RouterReader(program, self._objects)
        self._middleware = MiddlewareReader(program, self._objects, self._routers)
        self._walk = RouterWalk(program, self._objects, self._routers)
        self._built: tuple[Application, ...] = ()
        self._plain: tuple[Application, ...] = ()

    def applications(self) -> tuple[Application, ...]:
        """Every FastAPI application, mounted ones too, in order of files; those of tests left out."""
        self._walk.events = self._routers.events()
        for kind in ("application", "starlette"):
            for each in self._created(kind):
                self._walk.events.objects.setdefault(id(each.creation), each)
        built = [self._application(r) for r in self._roots() if r.kind == "application"]
        self._built = tuple(self._mark_mounted(self._with_floating(built)))
        return self._built

    def plain_applications(self) -> tuple[Application, ...]:
        """Every `Starlette()`, likewise: routes without validation, dependencies or documentation.

        What stands before a mounted one is not known: its operations are floating.
        """
        built = [self._application(r) for r in self._roots() if self._walk.routes.is_application(r)]
        marked = [*self._mark_mounted([*self._built, *built])][len(self._built) :]
        self._plain = tuple(
            replace(a, operations=_as_floating(a.operations)) if a.mounted else a for a in marked
        )
        return self._plain

    def strays(self) -> Application | None:
        """What is registered on no application of the tree: one application, of which only the operations are known.

        Parameters that stand for an application which a caller outside the tree creates; and, in a tree without any
        application, its routers: a folder of routers may be all that is looked at, or a package whose users bring the rest.
        """
        found = [*self._walk.events.borrowed.values()]
        if not self._built and not self._plain:
            plain = (o for o in self._walk.events.objects.values() if self._walk.routes.is_router(o))
            found += [*self._made_routers(), *plain]
        found = sorted((r for r in found if r.scope.module.kind in ("source", "generated")), key=_place)
        operations = self._outermost(found)
        if not operations:
            return None
        first = found[0]
        return Application(
            first.name or "router", first, first.scope.module.root.replace("^", "").replace(".", "/"), {},
            _as_floating(operations), (), (), (), Lifespan(None, False, (), ()), (),
        )  # fmt: skip

    def _roots(self) -> list[RouterObject]:
        """Applications and what may be one, in order of files; those of tests left out."""
        found = (o for o in self._walk.events.objects.values() if o.kind != "router")
        return sorted((o for o in found if o.scope.module.kind != "test"), key=_place)

    def _outermost(self, objects: list[RouterObject]) -> list[PathOperation]:
        """Operations of some objects, those of routers that another of them includes told once."""
        walked: dict[int, list[PathOperation]] = {}
        inner: set[int] = set()
        before = self._walk.reached
        for each in objects:
            self._walk.reached = set()
            walked.setdefault(id(each.creation), []).extend(self._walk.through(each).operations)
            inner |= self._walk.reached - {id(each.creation)}
        self._walk.reached = before.union(inner, walked)
        return [o for key, found in walked.items() if key not in inner for o in found]

    def unresolved(self) -> tuple[Unresolved, ...]:
        """Router calls that concern no known object."""
        return tuple(self._walk.events.unresolved)

    def included_creations(self) -> set[int]:
        """Identities of creating calls of routers that some walk has reached."""
        return set(self._walk.reached)

    def routers(self) -> list[RouterObject]:
        """Every router that is created, in order of files."""
        found = {id(o.creation): o for o in self._walk.events.objects.values() if o.kind == "router"}
        for each in self._created("router"):
            found.setdefault(id(each.creation), each)
        return sorted(found.values(), key=_place)

    def _made_routers(self) -> list[RouterObject]:
        """Every router, those of a factory once for each call of it."""
        return [made for each in self.routers() for made in self._walk.events.made_by(each)]

    def _created(self, kind: str) -> Iterator[RouterObject]:
        names = {"application": {"FastAPI"}, "router": {"APIRouter"}, "starlette": {"Starlette", "Router"}}[
            kind
        ]
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
        for router in self._made_routers():
            module = router.scope.module
            owners = [a for a in dynamic if a.scope.module.root == module.root]
            if (
                id(router.creation) in self._walk.reached
                or module.kind not in ("source", "generated")
                or len(owners) != 1
            ):
                continue
            operations = self._walk.through(router).operations
            extra.setdefault(id(owners[0]), []).extend(_as_floating(operations))
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
        environment = self._environment(each)
        each = replace(each, environment=environment) if environment is not EMPTY else each
        keywords = keyword_arguments(each.creation)
        walked = self._walk.from_application(each, keywords)
        events = self._walk.own_events(each)
        return Application(
            each.name or (each.scope.name if isinstance(each.scope, Function) else "app"),
            each,
            each.scope.module.root.replace("^", "").replace(".", "/"),
            keywords,
            tuple(walked.operations),
            tuple(walked.mounts),
            self._middleware.stack(each, events, keywords),
            tuple(self._exception_handlers(events, keywords, each.scope)),
            self._middleware.lifespan(each, events, keywords),
            tuple(walked.unresolved),
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

    def _rounds(self, event: Event, environment: Environment) -> list[Environment]:
        """One environment for each round of a loop over handlers: `for error, handler in HANDLERS.items():`."""
        if event.context is None:
            return [environment]
        return self._objects.loops(event.context, event.scope, environment)

    def _exception_handlers(
        self, events: list[tuple[Event, Environment]], keywords: dict[str, ir.Expr], scope: Scope
    ) -> Iterator[ExceptionHandler]:
        for event, environment in events:
            if event.kind != "exception-handler":
                continue
            exception = argument(event.call, 0, "exc_class_or_status_code")
            for one in self._rounds(event, environment):
                handler = event.handler
                if handler is None:
                    handler = self._routers.function_of(argument(event.call, 1, "handler"), event.scope, one)
                if exception is None:
                    yield ExceptionHandler(None, handler, event.scope, event.location)
                    continue
                named = self._objects.substituted(exception, event.scope, one)
                yield ExceptionHandler(named.expr, handler, named.scope, event.location)
        given = keywords.get("exception_handlers")
        if given is not None:
            literal, owner = self._inference.expand(given, scope)
            if isinstance(literal, ir.Dict):
                for key, value in zip(literal.keys, literal.values, strict=True):
                    handler = self._routers.function_of(value, owner, EMPTY)
                    yield ExceptionHandler(key, handler, owner, owner.location(value))


def _as_floating(operations: Iterable[PathOperation]) -> tuple[PathOperation, ...]:
    return tuple(replace(each, floating=True) for each in operations)


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
