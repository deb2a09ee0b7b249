"""GitHub annotations stand at their lines, and nothing in the reviewed code becomes a command."""

from __future__ import annotations

from tests.report.samples import INJECTION, QUERIES, VERB, a_review, hostile_review

from fastapi_architect.report.github import render


def test_every_finding_is_an_annotation_at_its_lines():
    assert render(a_review(INJECTION)).split("\n")[0] == (
        "::error file=app/routes/users.py,line=42,endLine=43,title=critical%3A sql-injection-raw-statement::"
        "SQL injection via f-string: `name` of GET /users reaches session.execute%0A"
        "`name` is a query parameter and is put into the statement in find_user.%0A"
        "CWE-89, CVSS 9.8%0Aarchitect explain sql-injection-raw-statement"
    )


def test_levels_follow_the_gate():
    lines = render(a_review(INJECTION, QUERIES, VERB)).splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "::error",
        "::error",
        "::notice",
        "::warning",
        "::notice",
    ]


def test_files_not_analysed_and_the_score_are_said():
    lines = render(a_review(INJECTION)).splitlines()
    assert lines[1] == "::warning file=app/broken.py,line=3::not analysed: invalid syntax"
    score = a_review(INJECTION).score
    assert (
        lines[2] == f"::notice title=fastapi-architect::score {score.value}/100 ({score.grade}): 1 critical"
    )


def test_a_prefix_leads_to_the_file_from_the_root_of_the_repository():
    assert "file=backend/app/routes/users.py," in render(a_review(INJECTION), prefix="backend")


def test_hostile_text_cannot_end_a_property_or_start_a_command():
    text = render(hostile_review())
    lines = text.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning", "::notice"]
    assert "\x1b" not in text
    head = lines[0].split("::")[1]
    assert "%3A%3Aerror%3A%3A%250A.py" in head
