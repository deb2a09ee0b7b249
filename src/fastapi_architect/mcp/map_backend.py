"""The tool `map_backend`."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from fastapi_architect.mcp.paging import Cursor, Limit, Next, page
from fastapi_architect.mcp.workspace import Workspace
from fastapi_architect.report import map as report
from fastapi_architect.review import reading
from fastapi_architect.review.pipeline import project_of
from fastapi_architect.source.tree import SourceTree


class MapPage(BaseModel):
    """Some operations of a backend; `total` counts all that were asked for."""

    folder: Annotated[
        str, Field(description="what was read, relative to the served folder; files are relative to it")
    ]
    applications: Annotated[list[str], Field(description="module:name of every application root")]
    total: int
    operations: Annotated[list[dict[str, Any]], Field(description="rows of the authorisation matrix")]
    unresolved: Annotated[list[str], Field(description="routers that could not be followed, and why")]
    next: Next


def register(server: MCPServer, workspace: Workspace) -> None:
    """Offer the tool."""

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    def map_backend(
        path: Annotated[str, Field(description="folder of the backend, relative to the served one")] = ".",
        route: Annotated[
            str, Field(description="only routes that contain this text, such as `DELETE /users`")
        ] = "",
        without_authentication: Annotated[
            bool, Field(description="only routes that anybody may call")
        ] = False,
        cursor: Cursor = 0,
        limit: Limit = 25,
    ) -> MapPage:
        """Every route with its guards, inputs, tables, queries, outbound calls, and what happens when the database is down."""
        root, _ = project_of(workspace.path(path), within=workspace.root)
        with workspace.reading(), reading.without_garbage_collection():
            config = workspace.config(root)
            graph = reading.read(SourceTree.open(root, config.exclude), config).graph
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
            applications=[f"{each['file']}:{each['name']}" for each in document["applications"]],
            total=len(rows),
            operations=list(shown),
            unresolved=[
                f"{each['file']}:{each['line']}: {each['what']}: {each['reason']}"
                for each in document["unresolved"]
            ],
            next=following,
        )
