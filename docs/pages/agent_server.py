"""`docs/reference/mcp.md`: tools, resources and prompts, as the server itself tells them to a client."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from fastapi_architect.mcp.server import server_for

_HINTS = {
    "readOnlyHint": "changes nothing",
    "destructiveHint": "may replace or delete",
    "idempotentHint": "asked twice, does it once",
    "openWorldHint": "reaches beyond the folder",
}


def pages() -> dict[str, str]:
    """Path below `docs/` to text."""
    return {"reference/mcp.md": asyncio.run(_page())}


async def _page() -> str:
    # Listing asks no worker, so that the folder is not looked into.
    server = server_for(Path())
    lines = [
        "# MCP server",
        "",
        "`architect mcp --root .` serves one folder to an AI agent; see [how to set it up](../how-to/work-with-an-ai-agent.md).",
        "Answers are small and in pages, most severe first. Paths are relative to the served folder, and nothing outside of it is read.",
        "",
        "## Tools",
        "",
    ]
    for tool in await server.list_tools():
        lines += _tool(tool.model_dump(by_alias=True, mode="json", exclude_none=True))
    lines += ["## Resources", "", "| address | what it is |", "|---|---|"]
    for resource in await server.list_resources():
        lines.append(f"| `{resource.uri}` | {resource.title or resource.name} |")
    for template in await server.list_resource_templates():
        given = template.model_dump(by_alias=True, mode="json")
        lines.append(f"| `{given['uriTemplate']}` | {template.title or template.name} |")
    lines += ["", "## Prompts", "", "| name | what it is | arguments |", "|---|---|---|"]
    for prompt in await server.list_prompts():
        arguments = ", ".join(f"`{each.name}`" for each in prompt.arguments or [])
        lines.append(f"| `{prompt.name}` | {prompt.title} | {arguments} |")
    return "\n".join([*lines, ""])


def _tool(given: dict[str, Any]) -> list[str]:
    hints = given.get("annotations", {})
    says = [text for name, text in _HINTS.items() if hints.get(name)]
    lines = [f"### `{given['name']}`", "", given["description"].strip(), ""]
    if says:
        lines += [f"*{'; '.join(says)}*", ""]
    schema = given["inputSchema"]
    required = set(schema.get("required", ()))
    if schema.get("properties"):
        lines += ["| argument | type | default | what it says |", "|---|---|---|---|"]
    for name, each in schema.get("properties", {}).items():
        default = "required" if name in required else f"`{json.dumps(each.get('default'))}`"
        said = " ".join(each.get("description", "").split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {_type(each)} | {default} | {said} |")
    return [*lines, ""]


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "object"))
