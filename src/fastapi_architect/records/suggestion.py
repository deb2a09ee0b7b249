"""Which plans deserve a decision record: what somebody will ask about in a year. It is suggested, never written unasked."""

from __future__ import annotations

import shlex
from typing import Protocol

import msgspec

from fastapi_architect.report.wording import printable

#: What a decision may be about, as the sentence names it.
TOPICS = ("framework", "authentication strategy", "database design", "API versioning")
#: More names would make no title.
_NAMED = 2


class Decided(Protocol):
    """One decision that a plan takes."""

    @property
    def topic(self) -> str:
        """One of `TOPICS`."""

    @property
    def what(self) -> tuple[str, ...]:
        """What is decided on, by name: components, packages."""


class Planned(Protocol):
    """A plan, as far as decisions go."""

    @property
    def decides(self) -> tuple[Decided, ...]:
        """The decisions that it takes, none where it changes nothing of that kind."""


class Suggestion(msgspec.Struct, frozen=True):
    """A decision record that somebody should consent to.

    Attributes:
        topics: what it is about, of `TOPICS`.
        title: of the record.
        sentence: what the user is asked, in quotes as it is said.
        command: what writes the record, to be run by the user or on their word.
    """

    topics: tuple[str, ...]
    title: str
    sentence: str
    command: str


def suggest(plan: Planned) -> Suggestion | None:
    """The decision record that a plan deserves; None where it takes no decision of that weight."""
    decided = [each for topic in TOPICS for each in plan.decides if each.topic == topic and each.what]
    if not decided:
        return None
    names = list(dict.fromkeys(name for each in decided for name in each.what))
    topics = tuple(dict.fromkeys(each.topic for each in decided))
    shown = names if len(names) <= _NAMED else [*names[:_NAMED], "others"]
    title = f"{_joined(topics)} with {_joined(shown)}"
    return suggestion(topics, title[:1].upper() + title[1:])


def suggestion(topics: tuple[str, ...], title: str) -> Suggestion:
    """The suggestion of a record with that title.

    Args:
        topics: what it is about.
        title: of the record; quoted, so that no shell reads more into it.
    """
    title = printable(" ".join(title.split()))
    command = f"architect adr new {shlex.quote(title)}"
    sentence = f'"📋 Architectural decision detected: {_joined(topics)}. Document the reasoning and the trade-offs? Run `{command}`"'
    return Suggestion(topics, title, sentence, command)


def _joined(words: list[str] | tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
