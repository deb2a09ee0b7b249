"""A prompt history record: what was asked, what was done, in which files, and what the review said before and after."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from fastapi_architect.records.comparison import Comparison, Seen, Standing
from fastapi_architect.records.errors import RecordError
from fastapi_architect.records.place import Folder
from fastapi_architect.records.redaction import redacted
from fastapi_architect.records.writing import write_next
from fastapi_architect.report.wording import counted, printable

_LONGEST_TITLE = 80
#: More of them are counted, not listed.
_SHOWN = 50


class PromptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work.

    Attributes:
        asked: the request in the words of whoever asked.
        done: what was done, in sentences; empty where the answer was all there was.
        at: when, with its time zone.
        command: the door that it came through: add, ask, phr, record_prompt.
        title: in a few words; empty: the beginning of what was asked.
        files: that were written, relative to the project.
        comparison: the reviews before and after, where there were any.
    """

    asked: str
    at: datetime
    command: str
    done: tuple[str, ...] = ()
    title: str = ""
    files: tuple[str, ...] = ()
    comparison: Comparison | None = None


def check(record: PromptRecord) -> None:
    """Refuse what would be no record.

    Raises:
        RecordError: naming the next step.
    """
    if not re.search(r"\w", record.asked):
        message = "a record says what was asked; write it in quotes, in the words of whoever asked"
        raise RecordError(message)


def write(folder: Folder, record: PromptRecord) -> Path:
    """Write the record under the next number.

    Returns:
        the file, absolute.

    Raises:
        RecordError: it says nothing, or cannot be written.
    """
    check(record)
    return write_next(folder, _title(record), record.at.date(), lambda number: render(record, number))


def render(record: PromptRecord, number: int) -> str:
    """The record as Markdown with a head for programs (YAML), without secrets."""
    compared = record.comparison
    head: dict[str, object] = {
        "number": number,
        "title": _title(record),
        "date": record.at.isoformat(timespec="seconds"),
        "command": record.command,
        "files": [_line(each) for each in record.files],
    }
    if compared is not None:
        head |= {
            "score": [compared.before.score, compared.after.score],
            "went": [each.fingerprint for each in compared.went],
            "came": [each.fingerprint for each in compared.came],
        }
    # Values as JSON, which YAML reads alike: nothing that was asked can add a key.
    lines = [
        "---",
        *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()),
        "---",
        "",
    ]
    lines += [f"# {number}. {_title(record)}" if number else f"# {_title(record)}", "", "## Asked", ""]
    lines += [f"> {line}".rstrip() for line in _clean(record.asked).split("\n")]
    lines += [
        "",
        "## Done",
        "",
        *(f"* {_line(each)}" for each in record.done or ("Answered; nothing was changed.",)),
    ]
    if record.files:
        shown = record.files[:_SHOWN]
        lines += ["", "## Files", "", *(f"* `{_line(each).replace('`', '')}`" for each in shown)]
        if more := len(record.files) - len(shown):
            lines.append(f"* and {more} more")
    if compared is not None:
        lines += ["", "## Findings", "", *_findings(compared)]
    return "\n".join(lines) + "\n"


def _findings(compared: Comparison) -> Iterator[str]:
    yield "| | score | " + " | ".join(compared.before.counts) + " |"
    yield "|---|---|" + "---|" * len(compared.before.counts)
    yield _row("before", compared.before)
    yield _row("after", compared.after)
    for label, findings in (("Went", compared.went), ("Came", compared.came)):
        yield ""
        yield f"{label}: {counted(len(findings), 'finding')}"
        if findings:
            yield ""
        yield from (_entry(each) for each in findings[:_SHOWN])
        if len(findings) > _SHOWN:
            yield f"* and {len(findings) - _SHOWN} more"


def _row(label: str, standing: Standing) -> str:
    return f"| {label} | {standing.score} | " + " | ".join(map(str, standing.counts.values())) + " |"


def _entry(seen: Seen) -> str:
    place = _line(seen.file).replace("`", "")
    return f"* {seen.severity} {seen.rule} `{place}:{seen.line}` ({seen.fingerprint})"


def _title(record: PromptRecord) -> str:
    text = _line(record.title or record.asked)
    if len(text) <= _LONGEST_TITLE:
        return text
    return (text[: _LONGEST_TITLE - 3].rpartition(" ")[0] or text[: _LONGEST_TITLE - 3]) + "..."


def _line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    return printable(redacted(text.strip()).replace("\r\n", "\n"))
