"""Resources: pages to read without asking anything of a project."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

import json

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from fastapi_architect.mcp.arguments import MAX_NAME
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.workers import WorkerFault
from fastapi_architect.workbench.errors import WorkbenchError

_JSON, _MARKDOWN = "application/json", "text/markdown"


def register(server: MCPServer[Served], served: Served) -> None:
    """Offer them."""

    async def asked(question: str, **arguments: str) -> bytes:
        if any(len(each) > MAX_NAME for each in arguments.values()):
            message = f"a name has at most {MAX_NAME} letters; rule://index and component://index list them"
            raise ResourceNotFoundError(message)
        try:
            return await served.workers.ask(question, arguments)
        except WorkbenchError as error:
            raise ResourceNotFoundError(str(error)) from error
        except WorkerFault as error:
            message = f"a fault of fastapi-architect: {error}"
            raise ResourceError(message) from error

    @server.resource("rule://index", name="rules", title="All rules", mime_type=_JSON)
    async def rules() -> str:
        """Every rule: name, title, category, topic, severity, CWE."""
        return (await asked("rules")).decode()

    @server.resource("rule://{name}", name="rule", title="A rule as a page", mime_type=_MARKDOWN)
    async def rule(name: str) -> str:
        """Why a rule matters: what goes wrong, how it is exploited, bad and good code, how to silence it."""
        return str(json.loads(await asked("explain_rule", rule=name))["page"])

    @server.resource("component://index", name="components", title="All components", mime_type=_JSON)
    async def components() -> str:
        """Every component that can be added to a project: name, summary, the findings it resolves."""
        return (await asked("components")).decode()

    @server.resource(
        "component://{name}", name="component", title="A component as a page", mime_type=_MARKDOWN
    )
    async def component(name: str) -> str:
        """How a component is used, its settings, its threat model, and what it does not do."""
        return str(json.loads(await asked("component", name=name)))

    @server.resource("review://last", name="last_review", title="The last review", mime_type=_JSON)
    async def last_review() -> str:
        """The last answer of the tool `review` that this server gave, to whomever."""
        if served.last_review is None:
            message = "there was no review yet; call the tool `review` first"
            raise ResourceNotFoundError(message)
        return served.last_review
