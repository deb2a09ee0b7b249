"""The tool `show_route`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import Field

from fastapi_architect.mcp.arguments import MAX_NAME, MAX_PATH, Cursor, Folder, Limit
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import READS, Structured, tool
from fastapi_architect.workbench.show_route import RoutePage


async def show_route(
    asked: Asking,
    route: Annotated[
        str,
        Field(
            description="such as GET /orders/{id}; a path alone, a path that a client asks for, or a handler's name",
            max_length=MAX_PATH,
        ),
    ],
    path: Folder = ".",
    application: Annotated[
        str, Field(description="only of this one, as map_backend names it", max_length=MAX_NAME)
    ] = "",
    findings: Annotated[
        bool, Field(description="ask every rule, too; without, it is several times quicker")
    ] = True,
    cursor: Cursor = 0,
    limit: Limit = 5,
) -> Annotated[CallToolResult, Structured[RoutePage]]:
    """One route from the request to the answer: middleware, dependency tree, parameters, guards, queries, effects, findings."""
    return await asked.answer(
        "show_route",
        route=route,
        path=path,
        application=application,
        findings=findings,
        cursor=cursor,
        limit=limit,
    )


def offered(served: Served) -> Tool:  # noqa: ARG001 - the same for every tool
    """The tool."""
    return tool(show_route, READS)
