"""The tool `record_prompt`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import Field

from fastapi_architect.mcp.arguments import MAX_ENTRIES, MAX_NAME, MAX_PATH, Folder, Text
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import ADDS, Structured, tool
from fastapi_architect.workbench.record_prompt import KeptPrompt


async def record_prompt(
    asked: Asking,
    request: Annotated[Text, Field(description="what the user asked, in the user's words")],
    done: Annotated[
        tuple[Text, ...], Field(description="what was done, in sentences", max_length=MAX_ENTRIES)
    ] = (),
    path: Folder = ".",
    title: Annotated[
        str, Field(description="in a few words; empty: the request's first ones", max_length=MAX_NAME)
    ] = "",
    files: Annotated[
        tuple[Annotated[str, Field(max_length=MAX_PATH)], ...],
        Field(description="files that were written, relative to the project", max_length=500),
    ] = (),
) -> Annotated[CallToolResult, Structured[KeptPrompt]]:
    """Keep what was asked and what came of it as a record of the project; secrets are taken out. Only when the user wants it."""
    return await asked.answer("record_prompt", asked=request, done=done, path=path, title=title, files=files)


def offered(served: Served) -> Tool:  # noqa: ARG001 - the same for every tool
    """The tool."""
    return tool(record_prompt, ADDS)
