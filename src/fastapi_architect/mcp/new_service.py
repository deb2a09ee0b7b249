"""The tool `new_service`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import Field

from fastapi_architect.mcp.arguments import MAX_ENTRIES, MAX_NAME, MAX_PATH, Name
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import ADDS, Structured, tool
from fastapi_architect.workbench.new_service import NewService, Preset


async def new_service(
    asked: Asking,
    name: Annotated[str, Field(description="of the service, such as bookshop", max_length=MAX_NAME)],
    preset: Annotated[
        Preset,
        Field(
            description="minimal: an API that programs call with keys; standard: accounts, caching, limits, background work; "
            "saas: organisations that share one service"
        ),
    ] = "minimal",
    more: Annotated[
        tuple[Name, ...],
        Field(description="further components; component://index lists them", max_length=MAX_ENTRIES),
    ] = (),
    without: Annotated[
        tuple[Name, ...], Field(description="components to leave out", max_length=MAX_ENTRIES)
    ] = (),
    path: Annotated[
        str,
        Field(
            description="folder to make, relative to the served one; empty: by the service's name",
            max_length=MAX_PATH,
        ),
    ] = "",
) -> Annotated[CallToolResult, Structured[NewService]]:
    """Make a production-grade FastAPI service in a new folder, with its tests. Only when the user asked for it."""
    return await asked.answer("new_service", name=name, preset=preset, more=more, without=without, path=path)


def offered(served: Served) -> Tool:  # noqa: ARG001 - the same for every tool
    """The tool."""
    return tool(new_service, ADDS)
