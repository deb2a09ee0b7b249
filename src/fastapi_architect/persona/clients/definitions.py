"""A definition in the file format of each client."""

from __future__ import annotations

import json

import msgspec

from fastapi_architect.persona.definition.render import description, instructions
from fastapi_architect.persona.definition.variants import SERVER, Variant, variant

_LEFT_OUT = frozenset({"expertise", "responsibilities", "commitments", "voice"})


def _front_matter(**fields: object) -> str:
    """YAML between its lines; values as JSON, which YAML reads alike."""
    lines = [f"{key.replace('_', '-')}: {value if key in ('name', 'model', 'color') else json.dumps(value, ensure_ascii=False)}"
             for key, value in fields.items()]  # fmt: skip
    return "\n".join(["---", *lines, "---", "", ""])


def for_claude(each: Variant) -> str:
    """Markdown with `name`, `description`, `model`, `color` and `disallowedTools`.

    Source: https://code.claude.com/docs/en/sub-agents (supported frontmatter fields).
    """
    lines = _front_matter(name=each.name, description=description(each), model=each.model, color=each.color)
    if each.readonly:
        lines = lines.replace("\n---\n\n", "\ndisallowedTools: Write, Edit, NotebookEdit\n---\n\n")
    return lines + instructions(each)


def for_cursor(each: Variant) -> str:
    """Markdown with `name`, `description`, `model` and `readonly`.

    Source: https://cursor.com/docs/subagents (configuration fields).
    """
    fields: dict[str, object] = {"name": each.name, "description": description(each), "model": "inherit"}
    if each.readonly:
        fields["readonly"] = True
    return _front_matter(**fields) + instructions(each)


def for_vscode(each: Variant) -> str:
    """Markdown with `name`, `description` and, where it is read-only, `tools`.

    Source: https://code.visualstudio.com/docs/agent-customization/custom-agents (custom agent file structure); names of tools:
    https://docs.github.com/en/copilot/reference/custom-agents-configuration.
    """
    fields: dict[str, object] = {"name": each.name, "description": each.use}
    if each.readonly:
        fields["tools"] = ["read", "search", "execute", f"{SERVER}/*"]
    return _front_matter(**fields) + instructions(each)


def for_codex(each: Variant) -> str:
    """TOML with `name`, `description`, `developer_instructions` and `sandbox_mode`.

    Source: https://developers.openai.com/codex/subagents (custom agents).
    """
    text = instructions(each)
    if "'''" in text:  # a literal string cannot hold its own quotes
        message = f"{each.name}: the instructions hold three single quotes"
        raise ValueError(message)
    lines = [f"name = {json.dumps(each.name)}", f"description = {json.dumps(each.use, ensure_ascii=False)}"]
    if each.readonly:
        lines.append('sandbox_mode = "read-only"')
    return "\n".join([*lines, f"developer_instructions = '''\n{text}'''", ""])


def guide() -> str:
    """The architect for a file that every agent of a project reads: without what a general agent knows by itself."""
    architect = variant("fastapi-backend-architect")
    kept = tuple(each for each in architect.sections if each not in _LEFT_OUT)
    text = instructions(msgspec.structs.replace(architect, sections=kept))
    return text.replace("\n## ", "\n### ").replace("# ", "## ", 1)
