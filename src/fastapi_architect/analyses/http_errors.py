"""Where exceptions that answer a request are raised, with which status, and which `except` catches them.

These are `HTTPException`, its subclasses, and exceptions of the project for which an application has a
handler.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import msgspec

from fastapi_architect.analyses.switched_off import is_switched_off
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.http import HttpError
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

LIBRARY_ERRORS = ("starlette.exceptions.HTTPException", "fastapi.HTTPException")
BROAD = frozenset({"builtins.Exception", "builtins.BaseException"})
_STATUS_NAME = lazy_pattern(r"HTTP_(\d{3})_")


class HttpRaise(msgspec.Struct, frozen=True, eq=False):
    """One `raise` of an exception that becomes an answer.

    Attributes:
        site: the call that makes the exception.
        cls: its class.
        status: the status code, None when it is not written down.
    """

    site: Site
    cls: Class | str
    status: int | None

    @property
    def name(self) -> str:
        """The class's own name, as a reader would say it."""
        return self.cls.name if isinstance(self.cls, Class) else self.cls.rpartition(".")[2]


class Catch(msgspec.Struct, frozen=True, eq=False):
    """An `except` that catches an exception at a place.

    Attributes:
        handler: the clause.
        statement: the `try` it belongs to.
        broad: it catches everything (`except Exception`, bare `except`).
        site: the raise or call inside the `try`.
    """

    handler: ir.Handler
    statement: ir.Try
    broad: bool
    site: Site


def status_code(graph: AppGraph, expr: ir.Expr | None, scope: Scope) -> int | None:
    """The number that a status argument means: 404, `status.HTTP_404_NOT_FOUND`, `HTTPStatus.NOT_FOUND`."""
    if expr is None:
        return None
    name = last_name(expr)
    match = _STATUS_NAME.match(name)
    if match is not None:
        return int(match[1])
    value = graph.program.constants.value(expr, scope)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return int(HTTPStatus[name]) if name in HTTPStatus.__members__ else None


@question
def http_raises(graph: AppGraph) -> tuple[HttpRaise, ...]:
    """Every raise of such an exception outside tests; kept by graph."""
    return tuple(_find(graph))


def _find(graph: AppGraph) -> Iterator[HttpRaise]:
    for error in graph.facts(HttpError):
        if _is_raised(error.site) and error.site.scope.module.kind != "test":
            yield HttpRaise(error.site, error.name, status_code(graph, error.status, error.scope))
    for cls in _error_classes(graph):
        declared: int | None = None
        asked = False
        for site in graph.program.call_sites_named(cls.name):
            if site.scope.module.kind == "test" or not _is_raised(site):
                continue
            of = graph.program.inference.type_of(site.node.func, site.scope)
            if any(isinstance(option, ClassRef) and option.cls is cls for option in options(of)):
                given = argument(site.node, None, "status_code")
                if given is not None:
                    yield HttpRaise(site, cls, status_code(graph, given, site.scope))
                    continue
                if not asked:
                    declared, asked = _status_of(graph, cls), True
                yield HttpRaise(site, cls, declared)


def _is_raised(site: Site) -> bool:
    return site.statement.__class__ is ir.Raise and site.statement.exc is site.node


def _error_classes(graph: AppGraph) -> Iterator[Class]:
    """Classes of the program that are answered with an HTTP error."""
    hierarchy = graph.program.inference.hierarchy
    answered: set[int] = set()
    for application in graph.applications:
        for handled in application.exception_handlers:
            if handled.exception is None:
                continue
            for option in options(graph.program.inference.type_of(handled.exception, handled.scope)):
                if isinstance(option, ClassRef) and isinstance(option.cls, Class):
                    answered.add(id(option.cls))
    for cls in graph.program.classes:
        if not cls.node.bases:
            continue
        order = hierarchy.order(cls)
        if any(entry.cls in LIBRARY_ERRORS or id(entry.cls) in answered for entry in order):
            yield cls


def _status_of(graph: AppGraph, cls: Class) -> int | None:
    """Given to `super().__init__`, or as a class attribute."""
    for entry in graph.program.inference.hierarchy.order(cls):
        if not isinstance(entry.cls, Class):
            continue
        init = entry.cls.methods.get("__init__")
        if init is not None:
            for call in init.facts.calls_named("__init__"):
                value = status_code(graph, argument(call.node, 0, "status_code"), init)
                if value is not None:
                    return value
        for name in ("status_code", "status", "code"):
            bindings = entry.cls.facts.bindings.get(name)
            value = status_code(graph, bindings[-1].value, entry.cls) if bindings else None
            if value is not None:
                return value
    return None


# ── who catches
# ──────────────────────────────────────────────────────────────────────────────────────────────────


def caught(graph: AppGraph, site: Site, cls: Class | str) -> Catch | None:
    """The clause that an exception of `cls` leaving `site` ends in; None when it leaves the body.

    A clause that raises it again lets it pass on to the next `try` outwards.
    """
    if site.context.inside("try") is None:
        return None
    ancestors = {_key(entry.cls) for entry in graph.program.inference.hierarchy.order(cls)}
    for context in site.context:
        if context.role != "try" or not isinstance(context.node, ir.Try):
            continue
        for handler in context.node.handlers:
            names = list(handler_classes(graph, handler, site.scope))
            broad = handler.type is None or any(name in BROAD for name in names)
            if not broad and not any(name in ancestors for name in names):
                continue
            if not raises_again(handler, site.scope):
                return Catch(handler, context.node, broad, site)
            break
    return None


def _key(cls: Class | str) -> str:
    return cls if isinstance(cls, str) else cls.full_name


def handler_classes(graph: AppGraph, handler: ir.Handler, scope: Scope) -> Iterator[str]:
    """Full names of the classes that a clause catches."""
    if handler.type is None:
        return
    expr, where = graph.program.inference.expand(handler.type, scope)
    for each in expr.elts if isinstance(expr, ir.Sequence) else [handler.type]:
        for option in options(
            graph.program.inference.type_of(each, where if each is not handler.type else scope)
        ):
            if isinstance(option, ClassRef | Instance):
                yield _key(option.cls)


def within_handler(handler: ir.Handler, scope: Scope, kind: type[ir.Node]) -> list[Site]:
    """Nodes of one class inside a clause."""
    return [s for s in scope.facts.sites(kind) if any(c.node is handler for c in s.context)]


def raises_again(handler: ir.Handler, scope: Scope) -> bool:
    """Some way through the clause raises what was caught: `raise`, or `raise` with its name."""
    for site in within_handler(handler, scope, ir.Raise):
        exc = site.node.exc
        if exc is None or (isinstance(exc, ir.Name) and exc.id == handler.name):
            return True
    return False


class Swallowed(msgspec.Struct, frozen=True, eq=False):
    """An exception that ends in a clause that was not written for it.

    Attributes:
        catch: the clause.
        raised: where it is raised.
        hops: call sites from the `try` inwards to the raise; empty when it is raised in the `try` itself.
    """

    catch: Catch
    raised: HttpRaise
    hops: tuple[Site, ...]


@question
def swallowed(graph: AppGraph) -> tuple[Swallowed, ...]:
    """Every raise that ends in a broad clause of its own body, or of an operation two calls above."""
    return tuple(_swallowed(graph))


def _swallowed(graph: AppGraph) -> Iterator[Swallowed]:
    leaving: dict[int, list[HttpRaise]] = {}
    for raised in http_raises(graph):
        catch = caught(graph, raised.site, raised.cls)
        if catch is None:
            leaving.setdefault(id(raised.site.scope), []).append(raised)
        elif catch.broad:
            yield Swallowed(catch, raised, ())
    seen: set[int] = set()
    for operation in graph.operations:
        for function in operation.functions:
            if id(function) not in seen:
                seen.add(id(function))
                yield from _through_calls(graph, function, leaving)


def _through_calls(
    graph: AppGraph, function: Function, leaving: dict[int, list[HttpRaise]]
) -> Iterator[Swallowed]:
    if not function.facts.sites(ir.Handler):
        return
    for site in function.facts.calls:
        if site.context.inside("try") is None:
            continue
        for target in graph.program.calls.targets(site):
            if target.is_async and not site.awaited:
                continue
            ways: list[tuple[HttpRaise, tuple[Site, ...]]]
            ways = [(raised, (site,)) for raised in leaving.get(id(target), ())]
            for inner in target.facts.calls:
                for below in graph.program.calls.targets(inner):
                    found = (r for r in leaving.get(id(below), ()) if caught(graph, inner, r.cls) is None)
                    ways += [(raised, (site, inner)) for raised in found]
            for raised, hops in ways:
                catch = caught(graph, site, raised.cls)
                if catch is not None and catch.broad and not is_switched_off(raised.site, hops[-1]):
                    yield Swallowed(catch, raised, hops)
