"""The tool `explain_rule`."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import Field

from fastapi_architect.mcp.answering import Structured, refusing
from fastapi_architect.workbench import explain_rule as workbench
from fastapi_architect.workbench.workspace import Workspace


def register(server: MCPServer, workspace: Workspace) -> None:  # noqa: ARG001 - the same for every tool
    """Offer the tool."""

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    def explain_rule(
        rule: Annotated[str, Field(description="its name, such as sql-injection-raw-statement")],
    ) -> Structured[workbench.RulePage]:
        """Why a rule matters: what goes wrong, how it is exploited, bad and good code, how to silence it."""
        with refusing():
            return Structured(workbench.explain_rule(rule))
