"""The outcome of a scan for a person, a program or GitHub: the scan, the gate, and what closes it."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from fastapi_architect.client.answers import ClosingFinding, Gate, Notes, Project, Scan
from fastapi_architect.report import github
from fastapi_architect.report.wording import counted, printable

FORMATS = ("text", "json", "github")


class Outcome(msgspec.Struct, frozen=True):
    """What came of a submission.

    Attributes:
        server: where it is.
        project: of the scan.
        scan: as it ended, or as it stands where nobody waits.
        gate: the verdict; None where nobody waited for it.
        newer: a scan of the same branch that has ended since; None: this is its newest.
    """

    server: str
    project: Project
    scan: Scan
    gate: Gate | None
    newer: str | None = None


def render(outcome: Outcome, form: str, prefix: str) -> str:
    """Return the outcome as text.

    Args:
        outcome: of the scan.
        form: one of `FORMATS`.
        prefix: from the repository's root to the scanned folder, for annotations.
    """
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(outcome), indent=2).decode() + "\n"
    if form == "github":
        return _github(outcome, prefix)
    return _text(outcome)


def _text(outcome: Outcome) -> str:
    scan, gate = outcome.scan, outcome.gate
    where = f"Scan {scan.id} of {printable(outcome.project.name)}, branch {printable(scan.branch)}"
    address = f"{outcome.server}/api/v1/scans/{scan.id}"
    if gate is None:
        return f"{where}: {scan.state}\n  {address}\n"
    score = "" if gate.score is None else f", score {gate.score}/100"
    lines = [f"{where}: {scan.state}{score}"]
    lines.append(_verdict(gate, scan.notes))
    lines += [f"  {each}" for each in _unsaid(scan.notes)]
    if outcome.newer is not None:
        lines.append(f"  as this scan ended; the branch was scanned again since ({outcome.newer})")
    for each in gate.findings:
        lines += _finding(each)
    missing = sum(gate.counts.values()) - len(gate.findings)
    if missing > 0:
        lines.append(
            f"  and {missing} more: {outcome.server}/api/v1/projects/{outcome.project.id}/findings?branch={quote(gate.branch, safe='')}"
        )
    if gate.findings:
        lines.append(f"Next: architect explain {printable(gate.findings[0].rule)}")
    return "\n".join(lines) + "\n"


def _unsaid(notes: Notes | None) -> list[str]:
    """What the verdict does not speak of, one line each."""
    if notes is None:
        return []
    lines = [
        f"NOT REVIEWED {_line(root) or 'the top of the archive'}: {_line(reason or 'no reason was given')}"
        for root, reason in sorted(notes.not_reviewed.items())
    ]
    if notes.not_analysed:
        lines.append(f"{counted(notes.not_analysed, 'file')} could not be analysed")
    if notes.proposed_ignored:
        asked = counted(notes.proposed_ignored, "finding")
        lines.append(f"the archive asks to ignore {asked}; whether they count is the project's decision")
    return lines


def _line(text: str) -> str:
    """Text that may be the archive's, on one line: at the beginning of another it could be a command to the CI system."""
    return " ".join(printable(text).split())


def _verdict(gate: Gate, notes: Notes | None) -> str:
    """The verdict in one line: one on a part of the code says so."""
    unseen = 0 if notes is None else len(notes.not_reviewed)
    if not unseen:
        return _verdict_on_what_was_seen(gate)
    was = "was" if unseen == 1 else "were"
    return f"{_verdict_on_what_was_seen(gate)}; BUT {counted(unseen, 'application root')} {was} not reviewed"


def _verdict_on_what_was_seen(gate: Gate) -> str:
    if gate.severity == "none":
        return "Gate: passed; the project asks for nothing"
    severities = gate.severity if gate.severity == "critical" else f"{gate.severity} and worse"
    new = "" if gate.compared_with is None else "new "
    against = "" if gate.compared_with is None else f" that {printable(gate.compared_with)} does not have"
    if gate.passed:
        return f"Gate: passed; no {new}finding ({severities})"
    counts = ", ".join(f"{number} {severity}" for severity, number in gate.counts.items())
    total = sum(gate.counts.values())
    return f"Gate: failed by {counted(total, new + 'finding')}{against} ({severities}): {counts}"


def _finding(finding: ClosingFinding) -> list[str]:
    rated = ", ".join(
        part
        for part in (
            finding.cwe or "",
            "" if finding.cvss_score is None else f"CVSS {finding.cvss_score}",
            "the archive asks to ignore it" if finding.is_proposed_ignored else "",
        )
        if part
    )
    place = f"{printable(finding.file)}:{finding.line}"
    return [
        f"  {printable(finding.severity).upper()} {printable(finding.rule)}  {place}{f'  ({rated})' if rated else ''}",
        f"    {printable(finding.title)}",
    ]


def _github(outcome: Outcome, prefix: str) -> str:
    gate = outcome.gate
    if gate is None:
        return github.command("notice", {"title": "SecAPI"}, _text(outcome).strip()) + "\n"
    lines = [
        github.command(
            "error" if each.severity in ("critical", "important") else "warning",
            {
                "file": f"{prefix.rstrip('/')}/{each.file}" if prefix else each.file,
                "line": str(each.line),
                "title": f"{each.severity}: {each.rule}",
            },
            "\n".join(
                part for part in (each.title, each.cwe or "", f"architect explain {each.rule}") if part
            ),
        )
        for each in gate.findings
    ]
    notes = outcome.scan.notes
    lines += [github.command("warning", {"title": "SecAPI"}, each) for each in _unsaid(notes)]
    summary = f"scan {outcome.scan.id}: {_verdict(gate, notes)}"
    lines.append(github.command("notice" if gate.passed else "error", {"title": "SecAPI"}, summary))
    return "\n".join(lines) + "\n"
