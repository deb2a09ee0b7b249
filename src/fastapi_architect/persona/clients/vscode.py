"""Visual Studio Code with GitHub Copilot: agents in `.github/agents/`, servers in `.vscode/mcp.json`.

Sources: https://code.visualstudio.com/docs/agent-customization/custom-agents (custom agent file locations: `~/.copilot/agents` for a
user), https://code.visualstudio.com/docs/agents/reference/mcp-configuration (`servers`, `type`, predefined variables; the user's
file lies in the user profile).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from fastapi_architect.persona.clients.definitions import for_vscode
from fastapi_architect.persona.clients.target import JsonMember, Launch, OwnFile, Scope, Target
from fastapi_architect.persona.definition.variants import SERVER, variants

TITLE = "Visual Studio Code"

#: The default user profile below the home folder.
_PROFILE = {
    "darwin": "Library/Application Support/Code/User",
    "win32": "AppData/Roaming/Code/User",
}


def targets(scope: Scope, launch: Launch) -> Iterator[Target]:
    """What Visual Studio Code needs."""
    project = scope.name == "project"
    agents = ".github/agents" if project else ".copilot/agents"
    for each in variants():
        yield OwnFile(f"{agents}/{each.name}.agent.md", for_vscode(each))
    folder = ".vscode" if project else _PROFILE.get(sys.platform, ".config/Code/User")
    entry = {"type": "stdio", **launch.entry("${workspaceFolder}")}
    yield JsonMember(f"{folder}/mcp.json", ("servers", SERVER), entry)
