"""Any other agent: a block in `AGENTS.md`, the file that most of them read.

Source: https://agents.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.persona.clients.definitions import guide
from fastapi_architect.persona.clients.errors import ClientError
from fastapi_architect.persona.clients.target import Launch, MarkdownBlock, Scope, Target

TITLE = "any agent that reads AGENTS.md"


def targets(scope: Scope, launch: Launch) -> Iterator[Target]:  # noqa: ARG001 - where servers are configured differs
    """What any agent can read.

    Raises:
        ClientError: there is no such file for a user.
    """
    if scope.name == "user":
        message = "there is no AGENTS.md that all agents read for a user; install it in a project: --project"
        raise ClientError(message)
    yield MarkdownBlock("AGENTS.md", guide())
