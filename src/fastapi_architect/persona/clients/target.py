"""What a client needs: files of our own, and our part of files that are somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

ScopeName: TypeAlias = Literal["project", "user"]


class Scope(msgspec.Struct, frozen=True):
    """Where it is installed.

    Attributes:
        name: for one project, or for everything that a user does.
        root: the project's folder, or the user's home; nothing outside of it is written.
    """

    name: ScopeName
    root: Path


class Launch(msgspec.Struct, frozen=True):
    """How a client starts the server.

    Attributes:
        command: the program.
        arguments: its arguments up to `mcp`.
        allowed: what the user lets the server do, as options: `--allow-writes`, `--allow-tests`.
    """

    command: str
    arguments: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    def entry(self, root: str) -> dict[str, str | list[str]]:
        """Command and arguments for a folder, as clients write them."""
        return {"command": self.command, "args": [*self.arguments, "mcp", "--root", root, *self.allowed]}


#: By the name that `--launcher` takes.
LAUNCHERS = {
    "architect": Launch("architect"),
    "uvx": Launch("uvx", ("--from", "fastapi-architect[mcp]", "architect")),
}


class OwnFile(msgspec.Struct, frozen=True, tag="file"):
    """A file that is wholly ours, as long as nobody edits it."""

    path: str
    text: str


class JsonMember(msgspec.Struct, frozen=True, tag="json"):
    """A member of a JSON file."""

    path: str
    keys: tuple[str, ...]
    value: Mapping[str, str | list[str]]


class TomlTable(msgspec.Struct, frozen=True, tag="toml"):
    """A table of a TOML file."""

    path: str
    keys: tuple[str, ...]
    value: Mapping[str, str | list[str]]


class MarkdownBlock(msgspec.Struct, frozen=True, tag="block"):
    """A marked block of a Markdown file."""

    path: str
    text: str


Target: TypeAlias = OwnFile | JsonMember | TomlTable | MarkdownBlock
