"""A question as it has come from a client, and its way to an answer."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import ListRoots, Resolve
from mcp.types import CallToolResult, ListRootsResult, TextContent

from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.workers import WorkerFault
from fastapi_architect.workbench.errors import WorkbenchError

#: Characters that an answer may have, some 25,000 tokens: clients cut longer ones, and an agent has other things to remember.
MAX_ANSWER = 100_000


class Asked:
    """One call of a tool.

    Attributes:
        served: what the server serves.
    """

    def __init__(self, context: Context[Served, Any], roots: list[str] | None) -> None:
        """A call.

        Args:
            context: of the request.
            roots: folders that the client has announced; None: it has announced none.
        """
        self.served: Served = context.request_context.lifespan_context
        self._context = context
        self._roots = roots
        self._done = 0.0

    async def answer(self, question: str, /, **arguments: Any) -> CallToolResult:
        """What the workbench answers to a question.

        Raises:
            ToolError: it has no answer; the message names the next step.
        """
        try:
            raw = await self.served.workers.ask(
                question, arguments, roots=self._roots, progress=self._progress
            )
        except WorkbenchError as error:
            raise ToolError(str(error)) from error
        except WorkerFault as error:
            message = f"a fault of fastapi-architect, not of what was asked: {error}"
            raise ToolError(message) from error
        text = raw.decode()
        if len(text) > MAX_ANSWER:
            message = (
                f"the answer has {len(text)} characters, more than {MAX_ANSWER}; ask for less at a time: "
                "a smaller `limit`, one file, one rule, or detail short"
            )
            raise ToolError(message)
        return CallToolResult(
            content=[TextContent(type="text", text=text)], structured_content=json.loads(text)
        )

    async def _progress(self, stage: str, done: int, total: int) -> None:
        # What is told may only grow, and a stage does not know how many follow.
        self._done += 1
        of = f" {done} of {total}" if total else ""
        await self._context.report_progress(self._done, message=f"{stage}{of}")


def _client_roots(context: Context[Served, Any]) -> ListRoots | None:
    capabilities = context.client_capabilities
    return ListRoots() if capabilities is not None and capabilities.roots is not None else None


def _asked(
    context: Context[Served, Any], roots: Annotated[ListRootsResult | None, Resolve(_client_roots)]
) -> Asked:
    """The call with the roots that its client announces. They narrow what is served, and never widen it."""
    if roots is None or not roots.roots:
        return Asked(context, None)
    return Asked(context, [folder for each in roots.roots if (folder := _folder_of(str(each.uri)))])


def _folder_of(uri: str) -> str:
    """The folder of a root; "" for one that lies elsewhere than on this machine."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return ""
    folder = url2pathname(parts.path)
    return folder if "\0" not in unquote(folder) and Path(folder).is_absolute() else ""


#: The parameter that every tool has; agents do not see it.
Asking = Annotated[Asked, Resolve(_asked)]
