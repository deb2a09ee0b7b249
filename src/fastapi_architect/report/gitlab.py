"""The review as GitLab's code quality report, which shows findings in the widget and the diff of a merge request."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Confidence, Severity
from fastapi_architect.report import wording
from fastapi_architect.review.result import Review

#: GitLab's severities, mildest first; `blocker` is for what stops a pipeline by itself.
_LEVELS = ("info", "minor", "major", "critical")
_LEVEL = {Severity.INFO: 0, Severity.MINOR: 1, Severity.IMPORTANT: 2, Severity.CRITICAL: 3}
#: GitLab shows one line.
_LONGEST = 500


def render(review: Review, *, prefix: str = "") -> str:
    """One entry a finding, in the order of the review.

    Args:
        review: what to render.
        prefix: path from the repository's root to the reviewed folder, "" when they are the same.
    """
    text = json.dumps(
        [_entry(each, prefix.strip("/")) for each in review.findings], indent=2, ensure_ascii=False
    )
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def _entry(finding: Finding, prefix: str) -> dict[str, Any]:
    place = finding.location
    begin = max(place.line, 1)
    return {
        "description": _description(finding),
        "check_name": finding.rule.name,
        "fingerprint": _fingerprint(finding, prefix),
        "severity": _LEVELS[max(_LEVEL[finding.severity] - (finding.confidence is Confidence.TENTATIVE), 0)],
        "location": {
            "path": f"{prefix}/{place.path}" if prefix else place.path,
            "lines": {"begin": begin, "end": max(place.end_line, begin)},
        },
    }


def _description(finding: Finding) -> str:
    known = [
        wording.cwe_name(finding.rule),
        f"CVSS {finding.cvss_score}" if finding.cvss_score is not None else None,
    ]
    rating = ", ".join(each for each in known if each)
    text = " ".join(wording.printable(finding.issue).split())
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"{text} ({rating})" if rating else text


def _fingerprint(finding: Finding, prefix: str) -> str:
    """The finding's own identity; by the folder too, as two projects of one repository may hold the same code."""
    return hashlib.sha256(f"{prefix}\0{finding.fingerprint}".encode()).hexdigest()
