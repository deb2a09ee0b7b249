"""The tool `review`."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import Field

from fastapi_architect.mcp.answering import Structured, refusing
from fastapi_architect.mcp.arguments import Cursor, Limit, Place, Select
from fastapi_architect.workbench import review as workbench
from fastapi_architect.workbench.workspace import Workspace


def register(server: MCPServer, workspace: Workspace) -> None:
    """Offer the tool."""

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    def review(
        path: Place = ".",
        select: Select = (),
        severity: Annotated[workbench.LowestSeverity, Field(description="lowest severity to list")] = "minor",
        confidence: Annotated[
            workbench.LowestConfidence, Field(description="lowest confidence to list")
        ] = "firm",
        changed_since: Annotated[
            str | None, Field(description="a git revision: list findings on lines changed since it only")
        ] = None,
        detail: Annotated[
            workbench.Detail, Field(description="full: with reasoning, exploit, trace and fix")
        ] = "short",
        cursor: Cursor = 0,
        limit: Limit = 10,
    ) -> Structured[workbench.ReviewPage]:
        """Review a FastAPI backend without running it: what is wrong, where, and how to fix it, most severe first."""
        with refusing():
            return Structured(
                workbench.review(
                    workspace,
                    path,
                    select=select,
                    severity=severity,
                    confidence=confidence,
                    changed_since=changed_since,
                    detail=detail,
                    cursor=cursor,
                    limit=limit,
                )
            )
