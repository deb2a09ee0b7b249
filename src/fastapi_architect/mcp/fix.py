"""The tool `fix`."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import Field

from fastapi_architect.mcp.answering import Structured, refusing
from fastapi_architect.mcp.arguments import Place, Select
from fastapi_architect.workbench import fix as workbench
from fastapi_architect.workbench.workspace import Workspace


def register(server: MCPServer, workspace: Workspace) -> None:
    """Offer the tool."""

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    def fix(
        path: Place = ".",
        select: Select = (),
        unsafe: Annotated[
            bool, Field(description="also fixes that want a person's eye, and those of tentative findings")
        ] = False,
        contract_change: Annotated[
            bool, Field(description="also fixes after which clients see another interface")
        ] = False,
    ) -> Structured[workbench.Patch]:
        """The smallest edits that fix what `review` finds, as a patch; writes nothing."""
        with refusing():
            return Structured(
                workbench.fix(workspace, path, select=select, unsafe=unsafe, contract_change=contract_change)
            )
