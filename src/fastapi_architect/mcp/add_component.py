"""The tool `add_component`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import Field

from fastapi_architect.mcp.arguments import (
    MAX_NAME,
    Application,
    Beside,
    Components,
    Folder,
    Migrations,
    WithTests,
)
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import CHANGES, Structured, tool
from fastapi_architect.workbench.add_component import Addition


async def add_component(
    asked: Asking,
    components: Components,
    plan: Annotated[
        str,
        Field(
            description="`plan` of the answer of plan_component to the same arguments, which the user has seen",
            max_length=MAX_NAME,
        ),
    ],
    path: Folder = ".",
    application: Application = None,
    migrations: Migrations = None,
    with_tests: WithTests = None,
    beside: Beside = False,
) -> Annotated[CallToolResult, Structured[Addition]]:
    """Carry out a plan of plan_component, all of it or nothing. Only when the user asked for it; git must hold everything."""
    return await asked.answer(
        "add_component",
        components=components,
        plan=plan,
        path=path,
        application=application,
        migrations=migrations,
        with_tests=with_tests,
        beside=beside,
    )


def offered(served: Served) -> Tool:  # noqa: ARG001 - the same for every tool
    """The tool."""
    return tool(add_component, CHANGES)
