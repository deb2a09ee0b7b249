"""Reports in their four formats: all that was found and decided, and nothing that a reader's program would run."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.report.samples import a_review
from tests.report.test_sarif import VALIDATOR

from fastapi_architect.report.json import document
from fastapi_architect.secapi.reports.as_csv import cell
from fastapi_architect.secapi.reports.material import Decision, Material, RootMaterial
from fastapi_architect.secapi.reports.models import ReportFormat
from fastapi_architect.secapi.reports.rendering import NotRendered, render

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
SCRIPT = "<script>alert(1)</script>"
HOSTILE = f'=HYPERLINK("http://evil.example")\r\n{SCRIPT}\x1b[31m\u202e'


def hostile_report() -> dict[str, Any]:
    """A report of the engine whose texts are hostile, as code can make them."""
    report = json.loads(json.dumps(document(a_review())))
    first = report["findings"][0]
    first.update(issue=HOSTILE, file=f"{SCRIPT}.py", routes=["@GET /"], title="\t=1", symbol=SCRIPT)
    first["trace"] = [{"file": SCRIPT, "line": 1, "text": SCRIPT}]
    report["strengths"] = [SCRIPT]
    report["notes"] = [SCRIPT]
    return report


def decided(
    number: int, triage: str, *, silenced: bool, reason: str | None = HOSTILE, change: str = "kept"
) -> Decision:
    until = NOW + timedelta(days=1 if silenced else -1) if triage == "accepted" else None
    finding = UUID(int=number)
    return Decision(finding, triage, reason, until, finding, finding, NOW, silenced, change)


def material() -> Material:
    """Two application roots that were reviewed, the first one with hostile texts, and one that was not."""
    first, second = hostile_report(), json.loads(json.dumps(document(a_review())))
    count = len(first["findings"])
    decisions = [decided(1, "false_positive", silenced=True, change="new")]
    decisions += [decided(each, "open", silenced=False, reason=None) for each in range(2, count + 1)]
    later = [decided(each, "open", silenced=False, reason=None) for each in range(10, 10 + count)]
    later[0] = decided(10, "accepted", silenced=False, change="reopened")
    scan = {
        "id": str(UUID(int=7)), "project_id": str(UUID(int=8)), "branch": SCRIPT, "commit": SCRIPT, "kind": "archive",
        "sha256": "", "engine": "m", "score": 3, "created_at": NOW, "finished_at": NOW,
    }  # fmt: skip
    gate = {"passed": False, "counts": {"critical": 1}, "severity": "important", "compared_with": SCRIPT}
    roots = [
        RootMaterial("", first, decisions),
        RootMaterial("api", second, [*later[:-1], None]),
        RootMaterial("lost", None, (), SCRIPT, "scan-timeout"),
    ]
    return Material(NOW, SCRIPT, scan, 3, gate, roots)


def rendered(report_format: ReportFormat) -> str:
    return render(material(), report_format, 10_000_000).decode()


def test_a_page_escapes_all_that_code_and_people_wrote() -> None:
    page = rendered(ReportFormat.HTML)

    # The page's own script is the only one.
    assert page.count("<script") == 1
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert 'id="score"' in page
    assert 'id="score-2"' in page
    assert page.count("<p>67 of 100, grade C</p>") == 2
    assert "api/app/routes/users.py:42" in page
    assert "false positive" in page
    assert "accepted" in page
    assert "(over)" in page
    assert "gate (important and worse) failed" in page
    assert page.count('class="card finding') == 2 * len(document(a_review())["findings"])


def test_a_table_has_a_row_for_each_finding_and_no_formula() -> None:
    text = rendered(ReportFormat.CSV)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))

    assert len(rows) == 2 * len(document(a_review())["findings"])
    assert all(
        not value.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for value in row.values()
    )
    assert rows[0]["issue"].startswith("'=HYPERLINK")
    assert rows[0]["routes"] == "'@GET /"
    assert rows[0]["title"] == "'\t=1"
    assert (rows[0]["triage"], rows[0]["silenced"], rows[0]["change"]) == ("false_positive", "yes", "new")
    assert {row["root"] for row in rows} == {"", "api"}
    assert rows[-1]["finding_id"] == ""
    assert "\x1b" not in text
    assert text.count("\r\n") == len(rows) + 1


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "＝1", "\n@x"])
def test_what_a_spreadsheet_would_run_is_text(value: str) -> None:
    assert cell(value).startswith("'")


def test_a_log_for_code_scanning_obeys_the_standard_and_says_what_was_decided() -> None:
    log = json.loads(rendered(ReportFormat.SARIF))

    assert [each.message for each in VALIDATOR.iter_errors(log)] == []
    top, api, lost = log["runs"]
    first = top["results"][0]
    assert first["baselineState"] == "new"
    assert first["suppressions"] == [{"kind": "external", "status": "accepted", "justification": HOSTILE}]
    assert [each.get("baselineState") for each in top["results"][1:2]] == ["unchanged"]
    # The day of the acceptance has come: it silences nothing any more.
    assert (api["results"][0]["baselineState"], "suppressions" in api["results"][0]) == ("new", False)
    places = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in api["results"]]
    assert all(each.startswith("api/") for each in places)
    assert (lost["results"], lost["invocations"][0]["executionSuccessful"]) == ([], False)


def test_a_document_for_programs_has_the_report_as_the_engine_wrote_it() -> None:
    whole = json.loads(rendered(ReportFormat.JSON))

    assert whole["roots"][0]["report"] == hostile_report()
    decision = whole["roots"][0]["decisions"][0]
    assert (decision["triage"], decision["reason"], decision["is_silenced"]) == (
        "false_positive",
        HOSTILE,
        True,
    )
    assert [each["path"] for each in whole["roots"]] == ["", "api", "lost"]
    assert (whole["roots"][2]["report"], whole["roots"][2]["error_code"]) == (None, "scan-timeout")
    assert whole["gate"]["passed"] is False


@pytest.mark.parametrize("report_format", list(ReportFormat))
def test_a_report_that_is_too_large_is_refused_with_its_size(report_format: ReportFormat) -> None:
    with pytest.raises(NotRendered, match="500 are the most") as caught:
        render(material(), report_format, 500)

    assert caught.value.code == "report-too-large"


@pytest.mark.parametrize("report_format", [ReportFormat.HTML, ReportFormat.SARIF])
def test_a_document_that_is_no_report_is_refused_and_named(report_format: ReportFormat) -> None:
    broken = material()
    broken.roots[0].report["findings"][0]["trace"] = [{"file": 1}]  # type: ignore[index]

    with pytest.raises(NotRendered, match="trace") as caught:
        render(broken, report_format, 10_000_000)

    assert caught.value.code == "report-unreadable"
