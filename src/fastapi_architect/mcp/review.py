"""The tool `review`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, TextContent
from pydantic import Field

from fastapi_architect.mcp.arguments import MAX_NAME, MAX_PATH, Cursor, Limit, Select
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import READS, Structured, tool
from fastapi_architect.workbench.review import (
    MAX_CODE_BYTES,
    Detail,
    LowestConfidence,
    LowestSeverity,
    ReviewPage,
)


async def review(
    asked: Asking,
    path: Annotated[
        str,
        Field(
            description="folder, or one Python file, relative to the served folder; with `code`, the file in which it would stand",
            max_length=MAX_PATH,
        ),
    ] = "",
    code: Annotated[
        str | None,
        Field(
            description="Python code to review instead of what the file holds, such as what you are about to write; nothing is "
            "written. With `path` the project around it counts",
            max_length=MAX_CODE_BYTES,
        ),
    ] = None,
    select: Select = (),
    severity: Annotated[LowestSeverity, Field(description="lowest severity to list")] = "minor",
    confidence: Annotated[LowestConfidence, Field(description="lowest confidence to list")] = "firm",
    changed_since: Annotated[
        str | None,
        Field(
            description="a git revision: list findings on lines changed since it only", max_length=MAX_NAME
        ),
    ] = None,
    detail: Annotated[Detail, Field(description="full: with reasoning, exploit, trace and fix")] = "short",
    cursor: Cursor = 0,
    limit: Limit = 10,
) -> Annotated[CallToolResult, Structured[ReviewPage]]:
    """Review a FastAPI backend without running it: what is wrong, where, and how to fix it, most severe first."""
    answer = await asked.answer(
        "review",
        path=path,
        code=code,
        select=select,
        severity=severity,
        confidence=confidence,
        changed_since=changed_since,
        detail=detail,
        cursor=cursor,
        limit=limit,
    )
    asked.served.last_review = "".join(each.text for each in answer.content if isinstance(each, TextContent))
    return answer


def offered(served: Served) -> Tool:  # noqa: ARG001 - the same for every tool
    """The tool."""
    return tool(review, READS)
