"""The process that reviews for a session of pytest: a request on standard input, what the items need on standard output."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from fastapi_architect.findings import baseline as baselines
from fastapi_architect.findings.finding import Finding
from fastapi_architect.report import text, wording
from fastapi_architect.review.changes import ChangesError
from fastapi_architect.review.config import GATES, ConfigError, load
from fastapi_architect.review.pipeline import Request, project_of, review
from fastapi_architect.review.result import Review
from fastapi_architect.review.selection import fails_gate
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.source.tree import NoSuchPath, printable


class BadRequest(Exception):
    """An option of the session has no meaning."""


def answer(request: dict[str, str | None]) -> dict[str, Any]:
    """What the session shows: findings at the gate, faults, and lines of a summary.

    Raises:
        BadRequest, ConfigError, BaselineError, NoSuchPath: with the next step.
    """
    path, gate, baseline = Path(str(request["path"])), request["gate"], request["baseline"]
    if gate is not None and gate not in GATES:
        message = f"--architect-gate: {gate!r} is no gate; gates are {', '.join(GATES)}"
        raise BadRequest(message)
    config = load(path, all_rules().values())
    config = replace(config, gate=gate) if gate is not None else config
    file = Path(baseline) if baseline is not None else config.baseline
    result = review(Request(path, config, baseline=baselines.read(file) if file is not None else None))
    failing = [each for each in result.findings if fails_gate(each, config)]
    root, _ = project_of(path)
    return {
        "findings": [_finding(each, root) for each in failing],
        "faults": [
            f"{fault}: {type(fault.__cause__).__name__}: {fault.__cause__}" for fault in result.faults
        ],
        "summary": [_line(each) for each in _summary(result, len(failing))],
    }


def _finding(finding: Finding, root: Path) -> dict[str, Any]:
    place = finding.location
    return {
        "name": _line(f"{finding.rule.name} {place}"),
        "file": _line(str(root.absolute() / place.path)),
        "line": max(place.line, 1),
        "issue": _line(finding.issue),
        # The first line is the item's own name.
        "text": "\n".join(line.text.removeprefix("   ") for line in [*text.of_finding(finding)][1:]),
        "properties": {
            "severity": finding.severity.value,
            "confidence": finding.confidence.value,
            "cwe": wording.cwe_name(finding.rule),
            "cvss": finding.cvss_vector,
            "fingerprint": finding.fingerprint,
        },
    }


def _line(text: str) -> str:
    """One line, whatever stands in a reviewed name."""
    return printable(text).replace("\n", "\\n")


def _summary(result: Review, failing: int) -> list[str]:
    score, known = result.score, sum(each.by == "baseline" for each in result.suppressed)
    lines = [f"score {score.value}/100 ({score.grade}): {wording.severities(result)}"]
    if not result.files:
        lines = ["nothing was found to review"]
    below = len(result.findings) - failing
    if below:
        lines.append(
            f"{wording.counted(below, 'finding')} below the gate ({result.gate}): `architect review` shows them"
        )
    if known:
        lines.append(f"{wording.counted(known, 'finding')} known since the baseline")
    lines += [f"not analysed: {each.file}: {each.reason}" for each in result.not_analysed]
    return [*lines, *result.notes]


def main() -> int:
    """Answer one request; 2 for one that has no meaning."""
    try:
        found = answer(json.load(sys.stdin))
    except (BadRequest, ConfigError, baselines.BaselineError, ChangesError, NoSuchPath) as error:
        print(f"architect: {error}", file=sys.stderr)
        return 2
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
