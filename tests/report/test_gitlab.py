"""GitLab's code quality report: the documented keys, prints that are unique and stay, and its own levels."""

from __future__ import annotations

import json
import re
from pathlib import Path

from msgspec.structs import replace
from tests.report.samples import INJECTION, QUERIES, VERB, a_review, hostile_review

from fastapi_architect.report.gitlab import render
from fastapi_architect.review.pipeline import Request, review
from fastapi_architect.source.location import Location

VULNERABLE = Path(__file__).parents[2] / "examples" / "bookshop_vulnerable"


def entries(text: str) -> list[dict]:
    """The report, every entry checked against the structure that GitLab documents."""
    found = json.loads(text)
    for each in found:
        assert set(each) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert isinstance(each["description"], str)
        assert each["description"]
        assert "\n" not in each["description"]
        assert each["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert re.fullmatch(r"[a-z0-9-]+", each["check_name"])
        assert re.fullmatch(r"[0-9a-f]{64}", each["fingerprint"])
        assert not each["location"]["path"].startswith(("./", "/"))
        begin, end = each["location"]["lines"]["begin"], each["location"]["lines"]["end"]
        assert 1 <= begin <= end
    prints = [each["fingerprint"] for each in found]
    assert len(set(prints)) == len(prints)
    return found


def test_every_finding_is_an_entry_in_the_order_of_the_review():
    injection, queries, verb = entries(render(a_review(INJECTION, QUERIES, VERB)))
    assert injection["description"].startswith("SQL injection via f-string")
    assert injection["description"].endswith("(CWE-89, CVSS 9.8)")
    assert injection["location"] == {"path": "app/routes/users.py", "lines": {"begin": 42, "end": 43}}
    assert [e["severity"] for e in (injection, queries, verb)] == ["critical", "major", "info"]


def test_no_finding_is_an_empty_list():
    assert entries(render(replace(a_review(), findings=()))) == []


def test_a_print_stays_when_the_finding_moves_and_differs_between_folders():
    moved = replace(INJECTION, location=Location("app/other.py", 7))
    (here,), (there,) = entries(render(a_review(INJECTION))), entries(render(a_review(moved)))
    assert here["fingerprint"] == there["fingerprint"]
    (elsewhere,) = entries(render(a_review(INJECTION), prefix="services/shop"))
    assert elsewhere["fingerprint"] != here["fingerprint"]
    assert elsewhere["location"]["path"] == "services/shop/app/routes/users.py"


def test_hostile_text_is_data():
    text = render(hostile_review())
    assert "\x1b" not in entries(text)[0]["description"]


def test_the_vulnerable_bookshop_has_an_entry_for_each_finding_twice_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHITECT_CACHE_DIR", str(tmp_path))
    first, second = (review(Request(VULNERABLE)) for _ in range(2))
    assert len(entries(render(first))) == len(first.findings) > 100
    assert render(first) == render(second)
