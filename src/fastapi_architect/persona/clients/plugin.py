"""The plugin folder: agents, slash commands and the server in one, for clients that install plugins.

Sources: https://code.claude.com/docs/en/plugins-reference (plugin directory structure, plugin manifest),
https://code.claude.com/docs/en/plugin-marketplaces (marketplace schema).
"""

from __future__ import annotations

import json

from fastapi_architect import __version__
from fastapi_architect.persona.clients.definitions import for_claude
from fastapi_architect.persona.clients.slash_commands import commands, rendered
from fastapi_architect.persona.clients.target import LAUNCHERS
from fastapi_architect.persona.definition.variants import SERVER, variants

_DESCRIPTION = "A senior FastAPI backend architect: reviews without running the code, shows exploits, fixes by the smallest diff, builds."


def committed_files() -> dict[str, str]:
    """Path in this repository to text, of everything that is rendered from the persona and committed."""
    return {
        **{f"agents/{each.name}.md": for_claude(each) for each in variants()},
        **{f"plugin/{path}": text for path, text in plugin_files().items()},
        ".claude-plugin/marketplace.json": _json(
            {
                "name": SERVER,
                "owner": {"name": "The fastapi-architect authors"},
                "plugins": [{"name": SERVER, "source": "./plugin", "description": _DESCRIPTION}],
            }
        ),
    }


def plugin_files() -> dict[str, str]:
    """Path in the plugin folder to text."""
    manifest = {
        "name": SERVER,
        "version": __version__,
        "description": _DESCRIPTION,
        "author": {"name": "The fastapi-architect authors"},
        "license": "MIT",
        "keywords": ["fastapi", "security", "code-review", "sqlalchemy", "async", "architecture"],
    }
    server = {"type": "stdio", **LAUNCHERS["architect"].entry(".")}
    return {
        ".claude-plugin/plugin.json": _json(manifest),
        ".mcp.json": _json({"mcpServers": {SERVER: server}}),
        **{f"agents/{each.name}.md": for_claude(each) for each in variants()},
        **{f"commands/{each.name}.md": rendered(each) for each in commands()},
        "README.md": _readme(),
    }


def _readme() -> str:
    return "\n".join(
        [
            "# fastapi-architect as a plugin",
            "",
            "Agents, slash commands and the MCP server of fastapi-architect. The server is the command `architect` of the Python package,",
            "which has to be on the path: `pip install 'fastapi-architect[mcp]'`.",
            "",
            "```console",
            "$ claude --plugin-dir ./plugin               # for one session, from a clone of the repository",
            "```",
            "",
            "| agent | what for |",
            "|---|---|",
            *(f"| `{each.name}` | {each.title} |" for each in variants()),
            "",
            "| command | what it does |",
            "|---|---|",
            *(f"| `/{SERVER}:{each.name} {each.hint}` | {each.description} |" for each in commands()),
            "",
            "Written by `python -m docs.generate` from `src/fastapi_architect/persona/`; change it there.",
            "",
        ]
    )


def _json(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
