"""The tool `explain_rule`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import Field

from fastapi_architect.mcp.arguments import MAX_NAME
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import READS, Structured, tool
from fastapi_architect.workbench.explain_rule import RulePage


async def explain_rule(
    asked: Asking,
    rule: Annotated[
        str, Field(description="its name, such as sql-injection-raw-statement", max_length=MAX_NAME)
    ],
) -> Annotated[CallToolResult, Structured[RulePage]]:
    """Why a rule matters: what goes wrong, how it is exploited, bad and good code, how to silence it."""
    return await asked.answer("explain_rule", rule=rule)


def offered(served: Served) -> Tool:  # noqa: ARG001 - the same for every tool
    """The tool."""
    return tool(explain_rule, READS)
