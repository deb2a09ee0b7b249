"""The full template of the route that serves a request, such as `/api/v1/books/{book_id}`.

A template is the only name of a path that is bounded: metrics, logs and limits go by it. `scope["route"].path` is not it,
because it lacks the prefix with which a router was included.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, routing
from starlette.routing import Mount, compile_path
from starlette.types import Scope


def local_path(scope: Scope) -> str:
    """Return the path as the application's routes know it: without what a server or a proxy puts before it.

    Args:
        scope: as it came, before routing.
    """
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


@dataclass(frozen=True, slots=True)
class _Template:
    path: str
    pattern: re.Pattern[str]


class RouteTemplates:
    """Finds templates; it reads the routes of the application when it is first asked."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._by_endpoint: dict[Any, list[_Template]] | None = None
        self._mounts: list[_Template] = []

    def of(self, scope: Scope) -> str | None:
        """Return the template of a request that was routed; None if no route took it.

        Args:
            scope: as the application left it, since routing notes the endpoint there.
        """
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return None
        if self._by_endpoint is None:
            self._by_endpoint = self._read()
        candidates = self._by_endpoint.get(endpoint, [])
        if len(candidates) == 1:
            return candidates[0].path
        # A mount moves `root_path`, and keeps where it was.
        root = scope.get("app_root_path", scope.get("root_path", ""))
        path = scope["path"].removeprefix(root)
        return next((found.path for found in (*candidates, *self._mounts) if found.pattern.match(path)), None)

    def _read(self) -> dict[Any, list[_Template]]:
        by_endpoint: dict[Any, list[_Template]] = {}
        for route, path, endpoint in _routes(self._app):
            if isinstance(route, Mount):
                # What lies below a mount is not known here, and its names may be unbounded.
                below = f"{path or ''}/{{path:path}}"
                self._mounts.append(_Template(below.replace(":path}", "}"), compile_path(below)[0]))
            elif endpoint is not None and path is not None:
                by_endpoint.setdefault(endpoint, []).append(_Template(path, compile_path(path)[0]))
        return by_endpoint


def _routes(app: FastAPI) -> Iterator[tuple[Any, str | None, Any]]:
    """Yield every route with its full template and its endpoint."""
    contexts = getattr(routing, "iter_route_contexts", None)
    if contexts is None:
        # Before FastAPI 0.137 an application holds the routes of its routers itself, prefixes included.
        for route in app.routes:
            yield route, getattr(route, "path", None), getattr(route, "endpoint", None)
        return
    for context in contexts(app.routes):
        yield context.original_route, context.path, context.endpoint
