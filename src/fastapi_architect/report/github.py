"""The review as GitHub workflow commands, which show findings beside the changed lines of a pull request."""

from __future__ import annotations

from fastapi_architect.findings.finding import Finding
from fastapi_architect.report import wording
from fastapi_architect.review.result import Review


def render(review: Review, *, prefix: str = "") -> str:
    """One command a finding, in the order of the review; GitHub shows ten of each level a step.

    Args:
        review: what to render.
        prefix: path from the repository's root to the reviewed folder, "" when they are the same.
    """
    lines = [_annotation(finding, prefix) for finding in review.findings]
    lines += [
        command(
            "warning",
            {"file": _path(prefix, each.file), "line": str(each.line or 1)},
            f"not analysed: {each.reason}",
        )
        for each in review.not_analysed
    ]
    score = review.score
    summary = f"score {score.value}/100 ({score.grade}): {wording.severities(review)}"
    lines.append(command("notice", {"title": wording.TOOL}, summary))
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding, prefix: str) -> str:
    place = finding.location
    properties = {
        "file": _path(prefix, place.path),
        "line": str(place.line),
        "endLine": str(place.end_line or place.line),
        "title": f"{finding.severity.value}: {finding.rule.name}",
    }
    parts = [finding.issue, wording.reasoning(finding)]
    if finding.cvss_score is not None:
        parts.append(f"{wording.cwe_name(finding.rule) or 'no CWE'}, CVSS {finding.cvss_score}")
    parts.append(f"architect explain {finding.rule.name}")
    level = wording.level(finding, ("error", "warning", "notice"))
    return command(level, properties, "\n".join(part for part in parts if part))


def _path(prefix: str, path: str) -> str:
    return f"{prefix.rstrip('/')}/{path}" if prefix else path


def command(name: str, properties: dict[str, str], message: str) -> str:
    """One workflow command, escaped as the runner reads it."""
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """Escaped as the runner's toolkit does, the percent sign first; other control signs made visible."""
    kept = wording.printable(text.replace("\r\n", "\n").replace("\r", "\n"))
    return kept.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
