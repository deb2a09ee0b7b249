"""The tool `fix`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import Field

from fastapi_architect.mcp.arguments import Place, Select
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import CHANGES, READS, Structured, tool
from fastapi_architect.workbench.fix import Patch


async def fix(
    asked: Asking,
    path: Place = ".",
    select: Select = (),
    unsafe: Annotated[
        bool, Field(description="also fixes that want a person's eye, and those of tentative findings")
    ] = False,
    contract_change: Annotated[
        bool, Field(description="also fixes after which clients see another interface")
    ] = False,
    apply: Annotated[
        bool,
        Field(
            description="make the changes, all or none; only when the user asked for it, with everything committed in git"
        ),
    ] = False,
) -> Annotated[CallToolResult, Structured[Patch]]:
    """The smallest edits that fix what `review` finds, as a patch; each was reviewed again. Writes nothing without `apply`."""
    return await asked.answer(
        "fix", path=path, select=select, unsafe=unsafe, contract_change=contract_change, apply=apply
    )


def offered(served: Served) -> Tool:
    """The tool."""
    return tool(fix, CHANGES if served.writes else READS)
