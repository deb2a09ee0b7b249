"""The tool `plan_component`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult

from fastapi_architect.mcp.arguments import Application, Beside, Components, Folder, Migrations, WithTests
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import READS, Structured, tool
from fastapi_architect.workbench.plan_component import ComponentPlan


async def plan_component(
    asked: Asking,
    components: Components,
    path: Folder = ".",
    application: Application = None,
    migrations: Migrations = None,
    with_tests: WithTests = None,
    beside: Beside = False,
) -> Annotated[CallToolResult, Structured[ComponentPlan]]:
    """What adding tested components (cache, accounts, rate limits, queue, outbox ...) to a project would change; writes nothing."""
    return await asked.answer(
        "plan_component",
        components=components,
        path=path,
        application=application,
        migrations=migrations,
        with_tests=with_tests,
        beside=beside,
    )


def offered(served: Served) -> Tool:  # noqa: ARG001 - the same for every tool
    """The tool."""
    return tool(plan_component, READS)
