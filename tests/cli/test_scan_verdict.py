"""What a CI log says of a scan that did not see everything."""

from __future__ import annotations

import json

import msgspec
import pytest

from fastapi_architect.cli.verdict import FORMATS, Outcome, render
from fastapi_architect.client.answers import Gate, Notes, Project, Scan

SCAN = "018f0000-0000-7000-8000-000000000002"
UNSEEN = Notes(not_reviewed={"services/legacy": "It took longer than 900 seconds.\n::error::forged"})


def outcome(notes: Notes | None, *, passed: bool = True) -> Outcome:
    counts = {} if passed else {"critical": 1}
    gate = Gate(passed, "main", "important", counts, SCAN, score=88)
    scan = Scan(SCAN, "p", "done", "main", notes=notes)
    return Outcome("https://secapi.example.com", Project("p", "Shop", "main"), scan, gate)


@pytest.mark.parametrize(
    ("passed", "verdict"), [(True, "Gate: passed; no finding"), (False, "Gate: failed by 1 finding")]
)
def test_a_verdict_on_a_part_of_the_code_says_so(passed: bool, verdict: str) -> None:
    said = render(outcome(UNSEEN, passed=passed), "text", "").splitlines()

    assert said[1].startswith(verdict)
    assert said[1].endswith("; BUT 1 application root was not reviewed")
    assert said[2].startswith("  NOT REVIEWED services/legacy: It took longer than 900 seconds.")
    assert not any(line.startswith("::") for line in said)


def test_github_warns_of_each_root_that_was_not_reviewed() -> None:
    notes = Notes(not_reviewed={"": None, "b": "too large"}, not_analysed=2, proposed_ignored=3)
    said = render(outcome(notes), "github", "").splitlines()

    assert [line.partition(" ")[0] for line in said] == ["::warning"] * 4 + ["::notice"]
    assert "NOT REVIEWED the top of the archive: no reason was given" in said[0]
    assert "2 files could not be analysed" in said[2]
    assert "the archive asks to ignore 3 findings" in said[3]
    assert said[4].endswith("BUT 2 application roots were not reviewed")


@pytest.mark.parametrize("notes", [None, Notes()])
def test_a_scan_that_saw_everything_has_nothing_to_add(notes: Notes | None) -> None:
    assert render(outcome(notes), "text", "").splitlines()[1:] == [
        "Gate: passed; no finding (important and worse)"
    ]


def test_programs_read_what_was_not_reviewed() -> None:
    assert "json" in FORMATS
    said = json.loads(render(outcome(UNSEEN), "json", ""))

    assert said["scan"]["notes"]["not_reviewed"] == UNSEEN.not_reviewed


def test_the_notes_of_a_server_are_understood() -> None:
    answer = {"id": SCAN, "project_id": "p", "state": "done", "branch": "main"}
    notes = {"new": 1, "not_reviewed": {"a": "why"}, "not_analysed": 0, "proposed_ignored": 1, "later": []}

    scan = msgspec.json.decode(json.dumps(answer | {"notes": notes}), type=Scan)

    assert scan.notes == Notes({"a": "why"}, 0, 1)
