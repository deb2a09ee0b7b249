"""Everyday requests as slash commands: Markdown with a front matter, in the form of Claude Code.

Source: https://code.claude.com/docs/en/slash-commands (frontmatter: `description`, `argument-hint`; `$ARGUMENTS`).
"""

from __future__ import annotations

import functools
import json
import tomllib
from pathlib import Path

import msgspec

_FILE = Path(__file__).with_name("commands.toml")


class SlashCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One command.

    Attributes:
        name: what is typed behind the slash.
        description: what it does.
        hint: what may follow it.
        agent: who does it.
        text: what is asked.
        record: it writes a record, and goes where no plugin is installed, too.
    """

    name: str
    description: str
    hint: str
    agent: str
    text: str
    record: bool = False


class _Commands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    command: tuple[SlashCommand, ...]


@functools.cache
def commands() -> tuple[SlashCommand, ...]:
    """All of them."""
    return msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), _Commands).command


def rendered(command: SlashCommand) -> str:
    """The command's file."""
    return (
        f"---\ndescription: {json.dumps(command.description)}\nargument-hint: {json.dumps(command.hint)}\n---\n\n"
        f"Use the {command.agent} agent.\n\n{command.text.strip()}\n"
    )


def record_commands() -> dict[str, str]:
    """Name to text of the commands that write records."""
    return {each.name: rendered(each) for each in commands() if each.record}
