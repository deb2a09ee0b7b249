"""Claude Code: agents in `.claude/agents/`, slash commands in `.claude/commands/`, servers in `.mcp.json` or `~/.claude.json`.

Sources: https://code.claude.com/docs/en/sub-agents (choose the subagent scope), https://code.claude.com/docs/en/mcp (MCP installation
scopes), https://code.claude.com/docs/en/slash-commands.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.persona.clients.definitions import for_claude
from fastapi_architect.persona.clients.slash_commands import record_commands
from fastapi_architect.persona.clients.target import JsonMember, Launch, OwnFile, Scope, Target
from fastapi_architect.persona.definition.variants import SERVER, variants

TITLE = "Claude Code"


def targets(scope: Scope, launch: Launch) -> Iterator[Target]:
    """What Claude Code needs."""
    for each in variants():
        yield OwnFile(f".claude/agents/{each.name}.md", for_claude(each))
    for name, text in record_commands().items():
        yield OwnFile(f".claude/commands/{name}.md", text)
    file = ".mcp.json" if scope.name == "project" else ".claude.json"
    yield JsonMember(file, ("mcpServers", SERVER), {"type": "stdio", **launch.entry(".")})
