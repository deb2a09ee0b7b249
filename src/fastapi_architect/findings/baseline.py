"""The baseline: findings that a team knows of, kept in a file, so that only new ones fail the gate."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from fastapi_architect.findings import fingerprint
from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.fingerprint import FingerprintError, Known

_KIND = "fastapi-architect baseline"
_VERSION = 1


class BaselineError(Exception):
    """The baseline cannot be read or written; the message names the file and the next step."""


class Entry(msgspec.Struct, frozen=True):
    """One known finding; rule and issue are there for people who read the file."""

    fingerprint: str
    rule: str
    file: str
    line: int
    issue: str


class Baseline(msgspec.Struct, frozen=True):
    """Known findings and the number of units that the score was computed with."""

    entries: tuple[Entry, ...] = ()
    units: int | None = None


class Compared(msgspec.Struct, frozen=True):
    """Findings of this run against a baseline: new ones, known ones, and entries that are no longer found."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    gone: tuple[Entry, ...]


def compare(baseline: Baseline, findings: Sequence[Finding]) -> Compared:
    """Divide findings (fingerprints computed) into new and known, order kept."""
    pairs = fingerprint.match(
        [Known(entry.fingerprint, entry.file, entry.line) for entry in baseline.entries],
        [Known(each.fingerprint, each.location.path, each.location.line) for each in findings],
    )
    met = set(pairs.values())
    return Compared(
        new=tuple(finding for index, finding in enumerate(findings) if index not in pairs),
        known=tuple(finding for index, finding in enumerate(findings) if index in pairs),
        gone=tuple(entry for index, entry in enumerate(baseline.entries) if index not in met),
    )


def baseline_of(findings: Iterable[Finding], units: int | None = None) -> Baseline:
    """The baseline that knows exactly these findings (fingerprints computed), sorted."""
    entries = [
        Entry(each.fingerprint, each.rule.name, each.location.path, each.location.line, each.issue)
        for each in findings
    ]
    entries.sort(key=lambda entry: (entry.file, entry.line, entry.rule, entry.fingerprint))
    return Baseline(tuple(entries), units)


def render(baseline: Baseline) -> str:
    """The text of a baseline file; one finding a line, so that a diff shows what changed."""
    import json

    head = {"kind": _KIND, "version": _VERSION, "fingerprints": fingerprint.VERSION}
    if baseline.units is not None:
        head["units"] = baseline.units
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    entries = [
        json.dumps(
            {
                "file": entry.file,
                "line": entry.line,
                "rule": entry.rule,
                "issue": entry.issue,
                "fingerprint": entry.fingerprint,
            },
            ensure_ascii=False,
        )
        for entry in baseline.entries
    ]
    body = ",\n".join(f"    {entry}" for entry in entries)
    listed = f"[\n{body}\n  ]" if entries else "[]"
    return "\n".join(["{", *lines, f'  "findings": {listed}', "}", ""])


def write(path: Path, baseline: Baseline, *, replace: bool = False) -> None:
    """Write the file whole or not at all.

    Args:
        path: where to.
        baseline: what to.
        replace: the user asked to replace an existing baseline; another kind of file is never replaced.

    Raises:
        BaselineError: when the file exists and is not to be replaced, is no baseline, or cannot be written.
    """
    import tempfile

    if path.exists():
        if not replace:
            raise BaselineError(f"{path} exists already; name another file, or add --replace")
        read(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(render(baseline))
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise BaselineError(f"{path} cannot be written ({error.strerror}); choose another place") from error


def read(path: Path) -> Baseline:
    """Read a baseline file.

    Raises:
        BaselineError: when it is missing, unreadable, no baseline, or of another version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BaselineError(
            f"{path} does not exist; write it with `architect review --write-baseline {path}`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"{path} cannot be read as a baseline ({error}); name another file") from error
    return parse(text, path)


def parse(text: str, path: Path) -> Baseline:
    """The baseline that a text holds.

    Args:
        text: as `render` makes it.
        path: where it stands, for messages.

    Raises:
        BaselineError: it is no baseline, or one of another version.
    """
    import json

    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise _foreign(path) from None
    if not isinstance(data, dict) or data.get("kind") != _KIND:
        raise _foreign(path)
    if data.get("version") != _VERSION or data.get("fingerprints") != fingerprint.VERSION:
        raise BaselineError(
            f"{path} was written by another version of this tool; "
            f"write it again with `architect review --write-baseline {path} --replace`"
        )
    units = data.get("units")
    entries = [_entry(path, number, each) for number, each in enumerate(_list(path, data), start=1)]
    return Baseline(tuple(entries), units if isinstance(units, int) else None)


def _foreign(path: Path) -> BaselineError:
    return BaselineError(
        f"{path} is not a baseline of this tool and was left as it is; "
        "name another file, or write one with `architect review --write-baseline FILE`"
    )


def _list(path: Path, data: dict[str, Any]) -> list[Any]:
    entries = data.get("findings")
    if not isinstance(entries, list):
        raise _damaged(path, "it has no list of findings")
    return entries


def _entry(path: Path, number: int, data: Any) -> Entry:
    texts = ("fingerprint", "rule", "file", "issue")
    if not isinstance(data, dict) or not all(isinstance(data.get(key), str) for key in texts):
        raise _damaged(path, f"finding {number} lacks one of {', '.join(texts)}")
    try:
        fingerprint.check(data["fingerprint"])
    except FingerprintError as error:
        raise _damaged(path, f"finding {number}: {error}") from None
    line = data.get("line")
    return Entry(
        data["fingerprint"], data["rule"], data["file"], line if isinstance(line, int) else 0, data["issue"]
    )


def _damaged(path: Path, why: str) -> BaselineError:
    return BaselineError(
        f"{path} is damaged: {why}; restore it from version control, "
        "or delete it and write it again with `architect review --write-baseline`"
    )
