"""An architectural decision record: what was decided, between which options, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from fastapi_architect.records.errors import RecordError
from fastapi_architect.records.place import Folder
from fastapi_architect.records.redaction import redacted
from fastapi_architect.records.writing import write_next
from fastapi_architect.report.wording import printable

STATUSES = ("proposed", "accepted", "rejected", "deprecated", "superseded")
FEWEST_OPTIONS, MOST_OPTIONS = 2, 3
_LONGEST_TITLE = 120


class Option(msgspec.Struct, frozen=True):
    """One way that could be gone.

    Attributes:
        name: in a few words.
        advantages, disadvantages: its trade-offs, one sentence each.
    """

    name: str
    advantages: tuple[str, ...] = ()
    disadvantages: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided, or proposed to be. Parts that are empty are left to the reader, with a question in their place.

    Attributes:
        title: the decision in a few words: "Keep tenants apart with row-level security".
        day: when it was written down.
        status: one of `STATUSES`.
        context: what makes a decision necessary.
        drivers: what the options are judged by.
        options: two or three, or none yet.
        chosen: the option that is taken, and why.
        consequences: what follows from it, good and bad.
        supersedes: file of the decision that this one replaces.
    """

    title: str
    day: date
    status: str = "proposed"
    context: str = ""
    drivers: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    chosen: str = ""
    consequences: tuple[str, ...] = ()
    supersedes: str = ""


def check(decision: Decision) -> None:
    """Refuse what would be no decision record.

    Raises:
        RecordError: naming the next step.
    """
    title = decision.title.strip()
    if not title or "\n" in title or not re.search(r"\w", title):
        message = 'a decision needs a title of one line: architect adr new "Keep tenants apart with row-level security"'
        raise RecordError(message)
    if len(title) > _LONGEST_TITLE:
        message = (
            f"the title has {len(title)} characters; say it in {_LONGEST_TITLE}, and the rest in the context"
        )
        raise RecordError(message)
    if decision.options and not FEWEST_OPTIONS <= len(decision.options) <= MOST_OPTIONS:
        step = "name another one" if len(decision.options) < FEWEST_OPTIONS else "keep the three best"
        message = f"a decision has two or three options, not {len(decision.options)}; {step}"
        raise RecordError(message)
    names = [each.name.strip().lower() for each in decision.options]
    if not all(names) or len(set(names)) < len(names):
        message = "every option needs a name of its own"
        raise RecordError(message)
    if decision.status not in STATUSES:
        message = f"{decision.status!r} is no status; choose one of {', '.join(STATUSES)}"
        raise RecordError(message)


def render(decision: Decision, number: int) -> str:
    """The record as Markdown, without secrets.

    Args:
        decision: what to write.
        number: of the record; 0 leaves it out.
    """
    title = _line(decision.title)
    lines = [f"# {number}. {title}" if number else f"# {title}", ""]
    lines += [f"* Status: {decision.status}", f"* Date: {decision.day.isoformat()}"]
    if decision.supersedes:
        lines.append(f"* Supersedes: [{decision.supersedes}]({decision.supersedes})")
    lines += [
        "",
        "## Context",
        "",
        _text(decision.context) or _ask("What makes this decision necessary, and what is given?"),
        "",
    ]
    lines += ["## Decision drivers", ""]
    lines += _bullets(decision.drivers, "What are the options judged by: a threat, a load, a date, a skill?")
    lines += ["", "## Options", "", *_options(decision.options)]
    lines += [
        "## Decision",
        "",
        _text(decision.chosen) or _ask("Which option, and which driver decided?"),
        "",
    ]
    lines += ["## Consequences", ""]
    lines += _bullets(
        decision.consequences, "What becomes easier, what becomes harder, what has to be watched?"
    )
    return "\n".join(lines) + "\n"


def write(folder: Folder, decision: Decision) -> Path:
    """Write the record under the next number.

    Returns:
        the file, absolute.

    Raises:
        RecordError: it is no decision, or cannot be written.
    """
    check(decision)
    return write_next(folder, redacted(decision.title), decision.day, lambda number: render(decision, number))


def _options(options: tuple[Option, ...]) -> Iterator[str]:
    shown = options or (Option("First option"), Option("Second option"))
    for number, option in enumerate(shown, 1):
        yield f"### {number}. {_line(option.name)}"
        yield ""
        yield from (f"* Good: {_line(each)}" for each in option.advantages)
        yield from (f"* Bad: {_line(each)}" for each in option.disadvantages)
        if not option.advantages:
            yield f"* Good: {_ask('What does it give?')}"
        if not option.disadvantages:
            yield f"* Bad: {_ask('What does it cost?')}"
        yield ""


def _bullets(texts: tuple[str, ...], question: str) -> list[str]:
    return [f"* {_line(each)}" for each in texts if each.strip()] or [f"* {_ask(question)}"]


def _ask(question: str) -> str:
    """What is left to the reader stands there as a question, so that it is seen."""
    return f"*To be answered: {question}*"


def _line(text: str) -> str:
    return printable(" ".join(redacted(text).split()))


def _text(text: str) -> str:
    """A text of several lines that opens no section of its own."""
    lines = printable(redacted(text.strip())).split("\n")
    return "\n".join(f"\\{line}" if re.match(r"#{1,6}\s", line) else line for line in lines)
