"""A report for spreadsheets (RFC 4180): one finding a row, and no cell that a spreadsheet would run."""

import csv
import io
from typing import Any

from fastapi_architect.report.wording import printable

from .material import Decision, Material

COLUMNS = (
    "source", "root", "file", "line", "end_line", "rule", "severity", "confidence", "category", "cwe", "cvss_score", "title", "issue",
    "routes", "fingerprint", "finding_id", "change", "triage", "reason", "expires_at", "silenced",
)  # fmt: skip
#: Formulas begin so, in programs for other alphabets with the wide signs; a tab is skipped by some of them.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


def csv_of(material: Material) -> str:
    """Return the report as CSV with a line of titles."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for root in material.roots:
        if root.report is None:
            continue
        for document, decision in zip(root.report["findings"], root.decisions, strict=True):
            row = {**document, "source": root.source, "root": root.path, **_decided(decision)}
            writer.writerow([cell(row.get(column)) for column in COLUMNS])
    return made.getvalue()


def cell(value: Any) -> str:
    """Return a value as the text of a cell: signs that steer are visible, and a formula is text.

    Args:
        value: of a document from a process that is not believed.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return cell(", ".join(map(str, value)))
    text = str(value)
    is_formula = text[:1] in _FORMULA or text.lstrip()[:1] in _FORMULA
    # Before the signs are made visible: "\r=1" would begin with a backslash and say something else.
    return f"'{printable(text)}" if text and is_formula else printable(text)


def _decided(decision: Decision | None) -> dict[str, Any]:
    if decision is None:
        return dict.fromkeys(("finding_id", "change", "triage", "reason", "expires_at", "silenced"))
    return {
        "finding_id": decision.finding_id,
        "change": decision.change,
        "triage": decision.triage,
        "reason": decision.reason,
        "expires_at": None if decision.expires_at is None else decision.expires_at.isoformat(),
        "silenced": decision.is_silenced,
    }
