"""What happens between a request to one route and its answer?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi_architect.report import route as report
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.paging import first, page
from fastapi_architect.workbench.workspace import Workspace


@dataclass(frozen=True)
class RoutePage(Answer):
    """The operations that are meant, each from the request to the answer; `total` counts all of them."""

    folder: str
    """what was read, relative to the served folder; files are relative to it"""
    total: int
    routes: tuple[dict[str, Any], ...]
    """middleware, guards, dependencies as they are resolved, parameters with their limits, queries, effects, answer, findings"""
    notes: tuple[str, ...]
    next: int | None
    """cursor of the next page; null on the last one"""


def show_route(
    workspace: Workspace,
    route: str,
    path: str = ".",
    *,
    application: str = "",
    findings: bool = True,
    cursor: int = 0,
    limit: int = 5,
) -> RoutePage:
    """One operation with its dependency tree, parameters, queries and effects, and what a review finds on its way.

    Args:
        workspace: where to look.
        route: such as `GET /orders/{id}`; a path alone, a path that a client asks for, or a handler's name.
        path: folder of the backend, relative to the workspace.
        application: only of this one, as `map_backend` names it.
        findings: ask every rule, too; without, it is several times quicker.
        cursor: `next` of the page before.
        limit: operations of a page, at most 100.

    Raises:
        WorkbenchError: nothing is meant (the message names near routes), or the configuration has no meaning.
    """
    if not route.strip():
        message = "route: it is empty; name one, such as GET /orders/{id}; map_backend lists them"
        raise WorkbenchError(message)
    place = workspace.path(path)
    if not place.is_dir():
        message = "path: name the folder of the backend; the route says which of its operations is meant"
        raise WorkbenchError(message)
    with workspace.reading():
        shown = report.show(workspace.request(place), route, application=application, findings=findings)
    routes, following = page(shown.routes, cursor, limit)
    return RoutePage(
        folder=workspace.name_of(place),
        total=len(shown.routes),
        routes=tuple(routes),
        notes=first(shown.notes),
        next=following,
    )
