"""Every way into an application, and what guards it: one list for the check at start-up, for OpenAPI and for tests."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Host, Mount, WebSocketRoute

from ..service import is_public
from .guards import Guard, kind_of

#: The "method" of a WebSocket in the lists of this module.
WEBSOCKET = "WEBSOCKET"


@dataclass(frozen=True, slots=True)
class RouteAccess:
    """One route as a stranger sees it."""

    #: The whole template, such as `/api/v1/items/{item_id}`.
    path: str
    methods: frozenset[str]
    #: It refuses whoever has not proved who they are.
    authenticated: bool
    #: Somebody wrote down that strangers may call it.
    public: bool
    #: It looks who is asking, and serves strangers too.
    looks: bool
    #: What the caller must have been granted.
    permissions: frozenset[str]

    @property
    def escapes(self) -> bool:
        """Whether strangers get in although nobody decided so."""
        return not (self.authenticated or self.public)


def routes_of(app: FastAPI, own_guards: Sequence[Callable[..., Any]] = ()) -> Iterator[RouteAccess]:
    """Yield every route of an application, of the routers it includes and of what is mounted in it.

    Args:
        app: the application, with all its routes.
        own_guards: dependencies that refuse strangers and are not of this component.
    """
    yield from _walk(app, "", own_guards)


def _walk(app: Any, prefix: str, own_guards: Sequence[Callable[..., Any]]) -> Iterator[RouteAccess]:
    router = getattr(app, "router", app)
    # Pages of a frontend stand apart, because they are tried last; FastAPI has no public name for them.
    pages: Iterable[Any] = getattr(router, "_iter_low_priority_routes", tuple)()
    for context in chain(iter_route_contexts(list(router.routes)), pages):
        route = getattr(context, "starlette_route", None) or getattr(context, "original_route", context)
        path = prefix + _template(context)
        inner = _mounted(route)
        if inner is None:
            yield _access(context, route, path, own_guards)
        elif hasattr(inner, "routes"):
            yield from _walk(
                inner, path.removesuffix("/{path}") if isinstance(route, Mount) else path, own_guards
            )
        else:
            yield RouteAccess(path, frozenset(), False, is_public(inner), False, frozenset())


def _template(context: Any) -> str:
    found = getattr(context, "path_format", None) or getattr(context, "path", None)
    if found:
        return str(found)
    return str(getattr(context, "frontend_prefix", "")) + "/*"


def _mounted(route: BaseRoute) -> Any:
    return route.app if isinstance(route, Mount | Host) else None


def _access(
    context: Any, route: BaseRoute, path: str, own_guards: Sequence[Callable[..., Any]]
) -> RouteAccess:
    dependant = getattr(context, "dependant", None) or getattr(route, "dependant", None)
    calls = [] if dependant is None else [found.call for found in _flat(dependant)]
    kinds = {kind_of(call) for call in calls}
    marked = is_public(getattr(context, "endpoint", None))
    authenticated = (
        Guard.STRANGERS in kinds
        or (Guard.STRANGERS_BY_DEFAULT in kinds and not marked)
        or any(call in own_guards for call in calls)
    )
    methods = {WEBSOCKET} if isinstance(route, WebSocketRoute) else getattr(context, "methods", None)
    return RouteAccess(
        path=path,
        methods=frozenset(methods or ()),
        authenticated=authenticated,
        public=marked and not authenticated,
        looks=Guard.NOBODY in kinds,
        permissions=frozenset(_permissions(calls)),
    )


def _flat(dependant: Dependant) -> Iterator[Dependant]:
    for inner in dependant.dependencies:
        yield inner
        yield from _flat(inner)


def _permissions(calls: Iterable[object]) -> Iterator[str]:
    for call in calls:
        if kind_of(call) is not None:
            yield from getattr(call, "permissions", ())
