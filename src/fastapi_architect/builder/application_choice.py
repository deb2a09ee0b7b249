"""Which application of a project gets the components, and which body makes it ready to serve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.builder.application_point import registers_later
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.project import Project
from fastapi_architect.program.definitions import Function, Module
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_KINDS = ("source", "generated")
#: A factory that calls a factory that calls one: no more are followed.
_MAX_CALLERS = 4
_SHOWN = 5


class Chosen(msgspec.Struct, frozen=True, eq=False):
    """The application.

    Attributes:
        application: in the graph.
        module: the file in which it gets its components.
        place: of the call there whose result is the application: `FastAPI()` itself, or the factory's.
    """

    application: Application
    module: Module
    place: Location


def choose(project: Project, wanted: str | None) -> Chosen:
    """The application to wire.

    Args:
        project: the project.
        wanted: "file:name", where somebody said it.

    Raises:
        BuildError: there is none, or several; the message lists them.
    """
    candidates = _candidates(project.graph)
    if wanted is not None:
        named = [each for each in candidates if _matches(each, wanted)]
        if not named:
            listed = ", ".join(map(_told, candidates)) or "none at all"
            message = f"--app {wanted}: there is no such application; there are: {listed}"
            raise BuildError(message)
        candidates = named
    if not candidates:
        raise BuildError(_without(project))
    main = [
        each for each in candidates if not each.mounted and (each.operations or each.mounts)
    ] or candidates
    places = {(each.module_path, each.scope.qualname, each.name): each for each in main}
    if len(places) > 1:
        largest = sorted(places.values(), key=lambda each: -len(each.operations))
        listed = ", ".join(map(_told, largest[:_SHOWN])) + (", ..." if largest[_SHOWN:] else "")
        name = _told(largest[0]).partition(" ")[0]
        message = f"there are several applications ({listed}); name one: --app {name}"
        raise BuildError(message)
    application = next(iter(places.values()))
    return _followed(project, Chosen(application, application.scope.module, application.location))


def shadowing(application: Application, module: Module, graph: AppGraph) -> list[tuple[str, int, int]]:
    """What takes every path, as `application_point.find_point` wants it."""
    found = []
    for location, scope in _catch_alls(application):
        here = location.path == module.path
        lines = (location.line, location.end_line or location.line) if here else (0, 0)
        if isinstance(scope, Function):
            found += [(name, *lines) for name in _leading(scope, graph)]
        else:
            found.append(("", *lines))
    return found


def _catch_alls(application: Application) -> Iterator[tuple[Location, Module | Function]]:
    for mount in application.mounts:
        if mount.path.rstrip("/") == "" and isinstance(mount.scope, (Module, Function)):
            yield mount.location, mount.scope
    for operation in application.operations:
        call, scope = operation.registration
        whole = (
            operation.path.startswith("/{")
            and operation.path.endswith(":path}")
            and operation.path.count("{") == 1
        )
        if whole and not operation.floating and isinstance(scope, (Module, Function)):
            yield scope.location(call), scope


def _leading(function: Function, graph: AppGraph) -> list[str]:
    """Names of functions that lead to one, itself first."""
    names = [function.name]
    seen = {id(function)}
    frontier = [function]
    while frontier:
        callers = [
            s.scope
            for each in frontier
            for s in graph.program.calls.callers(each)
            if isinstance(s.scope, Function)
        ]
        frontier = [each for each in callers if id(each) not in seen and each.module.kind in _KINDS]
        seen |= {id(each) for each in frontier}
        names += [each.name for each in frontier]
    return list(dict.fromkeys(names))


def _candidates(graph: AppGraph) -> list[Application]:
    return [each for each in graph.applications if each.scope.module.kind in _KINDS]


def _matches(application: Application, wanted: str) -> bool:
    file, _, name = wanted.partition(":")
    module = file.removesuffix(".py").replace("/", ".")
    same = application.module_path == file or application.scope.module.name == module
    return same and name in ("", application.name, application.scope.name)


def _told(application: Application) -> str:
    count = len(application.operations)
    return f"{application.module_path}:{application.name} ({count} operation{'' if count == 1 else 's'})"


def _without(project: Project) -> str:
    if project.graph.plain_applications:
        return "there is a Starlette application and no FastAPI one here; components need FastAPI"
    if project.graph.strays is not None:
        return "there are routers and no application here; name the folder that holds it: --path PATH"
    return "there is no FastAPI application here; name its folder: --path PATH, or make a project: architect new NAME"


def _followed(project: Project, chosen: Chosen) -> Chosen:
    """The factory's only caller, where the application is finished there."""
    for _ in range(_MAX_CALLERS):
        scope = _scope_at(chosen)
        if not isinstance(scope, Function) or not _returns(scope):
            return chosen
        sites = [s for s in project.graph.program.calls.callers(scope) if s.scope.module.kind in _KINDS]
        if len(sites) != 1:
            return chosen
        site = sites[0]
        place = site.scope.location(site.node)
        text = _text(project, place.path)
        if text is None or not registers_later(text, place.line, place.column):
            return chosen
        chosen = Chosen(chosen.application, site.scope.module, place)
    return chosen


def _scope_at(chosen: Chosen) -> object:
    if chosen.place == chosen.application.location:
        return chosen.application.scope
    found: Function | None = None
    for function in _functions(chosen.module.functions):
        place = function.location()
        if place.line <= chosen.place.line <= (place.end_line or place.line):
            found = function
    return found or chosen.module


def _functions(functions: Sequence[Function]) -> Iterator[Function]:
    for function in functions:
        yield function
        yield from _functions(function.functions)


def _returns(function: Function) -> bool:
    return any(site.node.value is not None for site in function.facts.sites(ir.Return))


def _text(project: Project, path: str) -> str | None:
    try:
        return (project.root / path).read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError):
        return None
