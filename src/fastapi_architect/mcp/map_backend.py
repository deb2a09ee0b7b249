"""The tool `map_backend`."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import Field

from fastapi_architect.mcp.answering import Structured, refusing
from fastapi_architect.mcp.arguments import Cursor, Folder, Limit
from fastapi_architect.workbench import map_backend as workbench
from fastapi_architect.workbench.workspace import Workspace


def register(server: MCPServer, workspace: Workspace) -> None:
    """Offer the tool."""

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    def map_backend(
        path: Folder = ".",
        route: Annotated[
            str, Field(description="only routes that contain this text, such as `DELETE /users`")
        ] = "",
        without_authentication: Annotated[
            bool, Field(description="only routes that anybody may call")
        ] = False,
        cursor: Cursor = 0,
        limit: Limit = 25,
    ) -> Structured[workbench.MapPage]:
        """Every route with its guards, inputs, tables, queries, outbound calls, and what happens when the database is down."""
        with refusing():
            return Structured(
                workbench.map_backend(
                    workspace,
                    path,
                    route=route,
                    without_authentication=without_authentication,
                    cursor=cursor,
                    limit=limit,
                )
            )
