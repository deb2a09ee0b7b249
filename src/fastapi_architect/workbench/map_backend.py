"""Which routes are there, and what does each touch?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi_architect.report import map as report
from fastapi_architect.review import reading
from fastapi_architect.review.pipeline import project_of
from fastapi_architect.source.tree import SourceTree
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.paging import first, page
from fastapi_architect.workbench.workspace import Workspace


@dataclass(frozen=True)
class MapPage(Answer):
    """Some operations of a backend; `total` counts all that were asked for."""

    folder: str
    """what was read, relative to the served folder; files are relative to it"""
    applications: tuple[str, ...]
    """module:name of every application root"""
    total: int
    operations: tuple[dict[str, Any], ...]
    """rows of the authorisation matrix"""
    unresolved: tuple[str, ...]
    """routers that could not be followed, and why"""
    next: int | None
    """cursor of the next page; null on the last one"""


def map_backend(
    workspace: Workspace,
    path: str = ".",
    *,
    route: str = "",
    without_authentication: bool = False,
    cursor: int = 0,
    limit: int = 25,
) -> MapPage:
    """Every route with its guards, inputs, tables, queries, outbound calls, and what happens when the database is down.

    Args:
        workspace: where to look.
        path: folder of the backend, relative to the workspace.
        route: only routes that contain this text, such as `DELETE /users`.
        without_authentication: only routes that anybody may call.
        cursor: `next` of the page before.
        limit: entries of a page, at most 100.

    Raises:
        WorkbenchError: the path or the configuration has no meaning.
    """
    place = workspace.path(path)
    root, _ = project_of(place, within=workspace.bound(place))
    with workspace.reading(), reading.without_garbage_collection():
        config = workspace.config(root)
        tree = SourceTree.open(root, config.exclude)
        graph = reading.read(tree, config, remembered=workspace.remembered).graph
        document = report.document(graph)
    rows = [
        operation
        for application in document["applications"]
        for operation in application["operations"]
        if route in operation["route"]
        and (not without_authentication or operation["access"] in ("none", "optional"))
    ]
    shown, following = page(rows, cursor, limit)
    return MapPage(
        folder=workspace.name_of(root),
        applications=tuple(f"{each['file']}:{each['name']}" for each in document["applications"]),
        total=len(rows),
        operations=tuple(shown),
        unresolved=first(
            [
                f"{each['file']}:{each['line']}: {each['what']}: {each['reason']}"
                for each in document["unresolved"]
            ]
        ),
        next=following,
    )
