"""What is wrong with a backend?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from msgspec.structs import replace

from fastapi_architect.findings.severity import Confidence, Severity
from fastapi_architect.report import json as report
from fastapi_architect.review import pipeline
from fastapi_architect.review.config import Config
from fastapi_architect.review.one_file import FileReview, review_file
from fastapi_architect.review.pipeline import Request
from fastapi_architect.review.result import Review
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.paging import first, page
from fastapi_architect.workbench.workspace import Workspace, shown

LowestSeverity = Literal["critical", "important", "minor", "info"]
LowestConfidence = Literal["certain", "firm", "tentative"]
Detail = Literal["short", "full"]

#: Code that is given as text may be this long.
MAX_CODE_BYTES = 200_000
#: What code is called that stands nowhere.
ALONE = "snippet.py"
_ALONE_NOTE = (
    "The code was reviewed alone: what guards its router, and what its models and settings say, is not known. Pass the path "
    "where it would stand, and the project around it counts."
)

#: What a short entry leaves out; `explain_rule` and `detail="full"` say it.
_LONG = (
    "reasoning", "exploit", "references", "docs", "emoji", "impact", "category", "topic", "column", "cvss_vector",
    "cvss_notes", "application", "symbol", "trace", "fix", "title",
)  # fmt: skip


@dataclass(frozen=True)
class ReviewPage(Answer):
    """Some findings of a review, most severe first; `total` counts all that were asked for."""

    folder: str
    """what was read, relative to the served folder; files are relative to it"""
    score: int | None
    """0 to 100, of the whole project; null where one file was asked for"""
    failed: bool
    """findings at or above the project's gate"""
    files: int
    """Python files that were read; `notes` says how many were not"""
    lines: int
    by_severity: dict[str, int]
    """of all findings that were asked for"""
    total: int
    findings: tuple[dict[str, Any], ...]
    not_analysed: tuple[str, ...]
    """what could not be read, and why"""
    notes: tuple[str, ...]
    next: int | None
    """cursor of the next page; null on the last one"""


def review(
    workspace: Workspace,
    path: str = "",
    *,
    code: str | None = None,
    select: Sequence[str] = (),
    severity: LowestSeverity = "minor",
    confidence: LowestConfidence = "firm",
    changed_since: str | None = None,
    detail: Detail = "short",
    cursor: int = 0,
    limit: int = 10,
) -> ReviewPage:
    """Review a backend without running it: what is wrong, where, and how to fix it, most severe first.

    Args:
        workspace: where to look.
        path: folder, or one Python file, relative to the workspace; "" for all of it. With `code`, where the code would stand.
        code: Python code that is reviewed instead of the file at `path`; nothing is written.
        select: only these categories, topics or rules.
        severity: lowest severity to list.
        confidence: lowest confidence to list.
        changed_since: a git revision: list findings on lines changed since it only.
        detail: `full` has reasoning, exploit, trace and fix, too.
        cursor: `next` of the page before.
        limit: entries of a page, at most 100.

    Raises:
        WorkbenchError: an argument or the configuration has no meaning; the message names the next step.
    """
    found: Review | FileReview
    if code is not None:
        found, folder = _of_code(workspace, code, path, select, changed_since)
    else:
        place = workspace.path(path or ".")
        with workspace.reading():
            request = workspace.request(place, select, changed_since=changed_since)
            alone = place.is_file() and place.suffix == ".py"
            alone = alone and changed_since is None and request.baseline is None
            found = review_file(request) if alone else pipeline.review(request)
        folder = workspace.name_of(pipeline.project_of(place, within=workspace.bound(place))[0])
    return _answer(found, folder, severity, confidence, detail, cursor, limit)


def _of_code(
    workspace: Workspace, code: str, path: str, select: Sequence[str], changed_since: str | None
) -> tuple[Review, str]:
    """The review of code that is nowhere yet, and the folder around it.

    Raises:
        WorkbenchError: it is too long, or cannot stand there.
    """
    data = code.encode("utf-8", "surrogatepass")
    if len(data) > MAX_CODE_BYTES:
        message = f"code: {len(data)} bytes are more than {MAX_CODE_BYTES}; review the file by its path, or a part of it"
        raise WorkbenchError(message)
    if changed_since is not None:
        message = "changed_since: code has no lines that git knows; leave it out"
        raise WorkbenchError(message)
    if not path:
        with TemporaryDirectory() as empty, workspace.reading():
            config = workspace.selecting(Config(), select)
            request = Request(
                Path(empty), config, cache=False, instead={ALONE: data}, files=frozenset({ALONE})
            )
            found = pipeline.review(request)
        return replace(found, notes=(_ALONE_NOTE, *found.notes)), "."
    place = workspace.new_path(path)
    if place.suffix != ".py" or place.is_dir():
        message = f"path: {shown(path)} is no Python file; name the one in which the code would stand"
        raise WorkbenchError(message)
    bound = workspace.bound(place)
    root = pipeline.project_around(place, within=bound) or bound
    name = place.relative_to(root).as_posix()
    with workspace.reading():
        request = workspace.request(root, select)
        found = pipeline.review(replace(request, instead={name: data}, files=frozenset({name})))
    return found, workspace.name_of(root)


def _answer(
    found: Review | FileReview,
    folder: str,
    severity: str,
    confidence: str,
    detail: str,
    cursor: int,
    limit: int,
) -> ReviewPage:
    lowest, surest = _lowest(severity, confidence)
    listed = [
        each
        for each in found.findings
        if each.severity.rank >= lowest.rank and each.confidence.rank >= surest.rank
    ]
    shown, following = page(listed, cursor, limit)
    entries = [report.finding_document(each) for each in shown]
    if isinstance(found, FileReview):
        entries = [{k: v for k, v in entry.items() if k != "fingerprint"} for entry in entries]
    if detail == "short":
        entries = [{k: v for k, v in entry.items() if k not in _LONG} for entry in entries]
    counted = Counter(each.severity.value for each in listed)
    return ReviewPage(
        folder=folder,
        score=found.score.value if isinstance(found, Review) else None,
        failed=found.failed,
        files=found.files,
        lines=found.lines,
        by_severity={each.value: counted[each.value] for each in Severity},
        total=len(listed),
        findings=tuple(entries),
        not_analysed=first([f"{each.file}: {each.reason}" for each in found.not_analysed]),
        notes=first(
            [
                *_unread(found),
                *found.notes,
                *(f"a fault of fastapi-architect: {each}" for each in found.faults),
            ]
        ),
        next=following,
    )


def _unread(found: Review | FileReview) -> Iterator[str]:
    """How much of the project was not looked at."""
    if isinstance(found, FileReview):
        yield (
            f"{found.files} of {found.of} Python files were read: those that can matter for {found.path}. Review the folder for "
            "the score, for fingerprints and for all else."
        )
        if found.not_asked:
            yield f"Not asked, since they need the whole project: {', '.join(found.not_asked)}."


def _lowest(severity: str, confidence: str) -> tuple[Severity, Confidence]:
    """The bounds of a list.

    Raises:
        WorkbenchError: there is no such severity or confidence.
    """
    try:
        return Severity(severity), Confidence(confidence)
    except ValueError:
        message = (
            f"there is no severity {severity!r} with confidence {confidence!r}; severities are "
            f"{', '.join(each.value for each in Severity)}, confidences {', '.join(each.value for each in Confidence)}"
        )
        raise WorkbenchError(message) from None
