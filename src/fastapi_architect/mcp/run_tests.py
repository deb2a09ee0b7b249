"""The tool `run_tests`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import Field

from fastapi_architect.mcp.arguments import Folder
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import RUNS, Structured, tool
from fastapi_architect.workbench.run_tests import MAX_SECONDS, TestRun


async def run_tests(
    asked: Asking,
    path: Folder = ".",
    max_seconds: Annotated[
        float, Field(gt=0, le=MAX_SECONDS, description="the tests are ended after so many")
    ] = MAX_SECONDS,
) -> Annotated[CallToolResult, Structured[TestRun]]:
    """Run the project's own tests by its own command. This runs the user's code; only where the server was told to allow it."""
    return await asked.answer("run_tests", path=path, max_seconds=max_seconds)


def offered(served: Served) -> Tool:  # noqa: ARG001 - the same for every tool
    """The tool."""
    return tool(run_tests, RUNS)
