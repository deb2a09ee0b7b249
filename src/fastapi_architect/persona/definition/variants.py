"""The variants of the persona and what they work with, read from the files beside this one."""

from __future__ import annotations

import difflib
import functools
import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from fastapi_architect.persona.definition.errors import NoSuchAgent

HERE = Path(__file__).parent
SECTIONS = HERE / "sections"
#: The server's name in the configuration of every client.
SERVER = "fastapi-architect"


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A dialogue that shows when the agent is called.

    Attributes:
        context: the situation.
        user: what is asked.
        assistant: how the caller hands it over.
        commentary: why this agent.
    """

    context: str
    user: str
    assistant: str
    commentary: str


class Hand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question, the tool of `architect mcp` that answers it, and the command that does (empty: none)."""

    question: str
    tool: str
    command: str


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One agent definition.

    Attributes:
        name: of the agent, and of its file.
        title: what it is, in a few words.
        persona: what it calls itself; empty: nothing.
        model: the family that it asks for.
        color: how a client marks it.
        readonly: it changes no file.
        use: when to call it, for whoever decides that.
        sections: names of its texts, in order.
        example: dialogues.
    """

    name: str
    title: str
    model: Literal["sonnet", "opus"]
    color: Literal["red", "blue", "green", "yellow", "purple", "orange", "pink", "cyan"]
    use: str
    sections: tuple[str, ...]
    example: tuple[Example, ...]
    persona: str = ""
    readonly: bool = False


class _Variants(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    variant: tuple[Variant, ...]


class _Hands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hand: tuple[Hand, ...]


@functools.cache
def variants() -> tuple[Variant, ...]:
    """Every variant, the architect first."""
    text = (HERE / "variants.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Variants).variant


@functools.cache
def hands() -> tuple[Hand, ...]:
    """What the persona works with, in the order in which it is needed."""
    text = (HERE / "hands.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Hands).hand


def variant(name: str) -> Variant:
    """The variant of a name.

    Raises:
        NoSuchAgent: there is none.
    """
    by_name = {each.name: each for each in variants()}
    found = by_name.get(name) or by_name.get(f"fastapi-backend-{name}")
    if found is not None:
        return found
    near = difflib.get_close_matches(name, [*by_name, *(each.rpartition("-")[2] for each in by_name)], n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(by_name)}"
    message = f"there is no agent {name!r}; {hint}"
    raise NoSuchAgent(message)
