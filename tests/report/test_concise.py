"""One line a finding, which editors and people can follow to its place."""

from __future__ import annotations

from msgspec.structs import replace
from tests.report.samples import INJECTION, QUERIES, VERB, a_review, hostile_review

from fastapi_architect.report.concise import render
from fastapi_architect.source.location import Location


def test_every_finding_is_one_line_with_its_place():
    lines = render(a_review(INJECTION, QUERIES, VERB), prefix="../backend").splitlines()
    assert lines[0] == (
        "../backend/app/routes/users.py:42:5: critical sql-injection-raw-statement: "
        "SQL injection via f-string: `name` of GET /users reaches session.execute"
    )
    assert lines[1].startswith(
        "../backend/app/services/orders.py:7:5: important query-inside-loop: 51 queries"
    )
    assert ": minor, tentative resource-naming-convention: " in lines[2]
    assert lines[3] == "../backend/app/broken.py:3: not analysed: invalid syntax"
    assert lines[4:] == [
        "architect: 1 critical, 1 important, 1 minor; gate (important and worse): failed",
        "Next: architect explain sql-injection-raw-statement",
    ]


def test_nothing_found_is_one_line():
    assert render(replace(a_review(), findings=(), not_analysed=())) == "architect: nothing found\n"


def test_an_issue_of_several_lines_is_one():
    text = render(a_review(replace(INJECTION, issue="first\nmain.py:1:1: critical made-up: second")))
    assert "first main.py:1:1: critical made-up: second\n" in text
    assert not [line for line in text.splitlines() if line.startswith("main.py")]


def test_hostile_text_cannot_make_a_line_of_its_own_or_steer_a_terminal():
    text = render(hostile_review())
    assert len(text.splitlines()) == 4
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_file_with_a_line_break_in_its_name_is_one_line():
    place = Location("x.py:1:1: critical made-up: no\nmain.py", 7)
    lines = render(a_review(replace(INJECTION, location=place), not_analysed=())).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("x.py:1:1: critical made-up: no\\nmain.py:7:1: critical")
