"""Codex: custom agents in `.codex/agents/`, a block in `AGENTS.md`, servers in `.codex/config.toml`.

Sources: https://developers.openai.com/codex/subagents (custom agents), https://developers.openai.com/codex/guides/agents-md (discovery;
`~/.codex/AGENTS.md` for a user), https://developers.openai.com/codex/mcp (`[mcp_servers.NAME]`; a project's file counts where the
project is trusted).
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.persona.clients.definitions import for_codex, guide
from fastapi_architect.persona.clients.target import Launch, MarkdownBlock, OwnFile, Scope, Target, TomlTable
from fastapi_architect.persona.definition.variants import SERVER, variants

TITLE = "Codex"


def targets(scope: Scope, launch: Launch) -> Iterator[Target]:
    """What Codex needs."""
    for each in variants():
        yield OwnFile(f".codex/agents/{each.name}.toml", for_codex(each))
    yield MarkdownBlock("AGENTS.md" if scope.name == "project" else ".codex/AGENTS.md", guide())
    yield TomlTable(".codex/config.toml", ("mcp_servers", SERVER), launch.entry("."))
