"""One line a finding, for commit hooks and editors: place, severity, rule, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.findings.finding import Finding
from fastapi_architect.report import wording
from fastapi_architect.review.result import Review


def render(review: Review, *, prefix: str = "") -> str:
    """The findings in the order of the review, and one line that sums up.

    Args:
        review: what to render.
        prefix: path from where the reader stands to the reviewed folder, "" when they are the same.
    """
    lines = [_finding(each, prefix) for each in review.findings]
    lines += [
        f"{_path(prefix, each.file)}:{each.line or 1}: not analysed: {each.reason}"
        for each in review.not_analysed
    ]
    lines += _end(review)
    # A file's name may hold a line break, and then what looks like a finding.
    return "".join(wording.printable(line).replace("\n", "\\n") + "\n" for line in lines)


def _finding(finding: Finding, prefix: str) -> str:
    place = finding.location
    where = f"{_path(prefix, place.path)}:{place.line}:{place.column + 1}"
    unsure = ", tentative" if finding.confidence.value == "tentative" else ""
    return f"{where}: {finding.severity.value}{unsure} {finding.rule.name}: {' '.join(finding.issue.split())}"


def _path(prefix: str, path: str) -> str:
    return f"{prefix.rstrip('/')}/{path}" if prefix else path


def _end(review: Review) -> Iterator[str]:
    if not review.findings:
        yield "architect: nothing found"
        return
    verdict = (
        f"; gate ({review.gate} and worse): {'failed' if review.failed else 'passed'}"
        if review.gate != "none"
        else ""
    )
    yield f"architect: {wording.severities(review)}{verdict}"
    yield f"Next: architect explain {review.findings[0].rule.name}"
