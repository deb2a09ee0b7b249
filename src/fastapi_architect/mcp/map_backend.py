"""The tool `map_backend`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import Field

from fastapi_architect.mcp.arguments import MAX_NAME, Cursor, Folder, Limit
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import READS, Structured, tool
from fastapi_architect.workbench.map_backend import MapPage


async def map_backend(
    asked: Asking,
    path: Folder = ".",
    route: Annotated[
        str,
        Field(description="only routes that contain this text, such as `DELETE /users`", max_length=MAX_NAME),
    ] = "",
    without_authentication: Annotated[bool, Field(description="only routes that anybody may call")] = False,
    cursor: Cursor = 0,
    limit: Limit = 25,
) -> Annotated[CallToolResult, Structured[MapPage]]:
    """Every route with its guards, inputs, tables, queries, outbound calls, and what happens when the database is down."""
    return await asked.answer(
        "map_backend",
        path=path,
        route=route,
        without_authentication=without_authentication,
        cursor=cursor,
        limit=limit,
    )


def offered(served: Served) -> Tool:  # noqa: ARG001 - the same for every tool
    """The tool."""
    return tool(map_backend, READS)
