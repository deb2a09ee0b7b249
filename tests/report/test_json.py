"""The JSON report keeps its contract."""

from __future__ import annotations

import json

from msgspec.structs import replace
from tests.report.samples import INJECTION, a_review, hostile_review

from fastapi_architect.report.json import render
from fastapi_architect.review.result import Spent


def test_the_head_keeps_the_contract():
    document = json.loads(render(a_review()))
    assert {key: document[key] for key in ("agent", "color", "model", "category", "severity", "score")} == {
        "agent": "backend-reviewer",
        "color": "#10B981",
        "model": "fastapi-architect/0.1.0",
        "category": "Backend",
        "severity": "critical",
        "score": a_review().score.value,
    }
    assert document["review_time_ms"] == 800
    assert document["strengths"] == ["all 42 operations declare a response model"]
    assert document["not_analysed"] == [{"file": "app/broken.py", "line": 3, "reason": "invalid syntax"}]


def test_a_finding_keeps_the_contract():
    finding = json.loads(render(a_review()))["findings"][0]
    contract = {
        "file": "app/routes/users.py",
        "line": 42,
        "end_line": 43,
        "rule": "sql-injection-raw-statement",
        "severity": "critical",
        "confidence": "certain",
        "issue": INJECTION.issue,
        "reasoning": INJECTION.reasoning,
        "exploit": INJECTION.rule.exploit,
        "suggestion": INJECTION.suggestion,
        "impact": "Security",
        "cwe": "CWE-89",
        "cvss_score": 9.8,
        "cvss_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "emoji": "🔒",
        "routes": ["GET /users"],
        "trace": [
            {"file": "app/routes/users.py", "line": 12, "text": "query parameter `name` of GET /users"},
            {"file": "app/routes/users.py", "line": 42, "text": "session.execute(query)"},
        ],
        "fix": {
            "title": "Bind the value",
            "safe": False,
            "changes_contract": False,
            "edits": [
                {
                    "file": "app/routes/users.py",
                    "line": 42,
                    "column": 4,
                    "end_line": 42,
                    "end_column": 30,
                    "text": "x",
                }
            ],
        },
        "fingerprint": INJECTION.fingerprint,
        "docs": "docs/rules/sql-injection-raw-statement.md",
    }
    assert {key: finding[key] for key in contract} == contract


def test_where_a_finding_says_nothing_the_rule_speaks():
    bare = replace(INJECTION, suggestion="", reasoning="", exploit="")
    [finding] = json.loads(render(a_review(bare)))["findings"]
    assert finding["reasoning"] == "The database cannot tell the caller's text from the statement."
    assert finding["exploit"] == INJECTION.rule.exploit
    assert finding["suggestion"].startswith("# Bad\nsession.execute(")
    assert "\n# Good\nsession.execute(" in finding["suggestion"]


def test_a_clean_review_is_of_severity_info():
    review = replace(a_review(), findings=())
    assert json.loads(render(review))["severity"] == "info"


def test_only_the_time_differs_between_equal_reviews():
    slow = replace(a_review(), review_time_ms=9999, spent=Spent({"a-rule": 9.0}, {}))
    assert render(slow).replace("9999", "800") == render(a_review())


def test_hostile_text_stays_text():
    document = json.loads(render(hostile_review()))
    assert document["findings"][0]["issue"] == hostile_review().findings[0].issue
    broken = replace(INJECTION, issue="a lone surrogate \udc80")
    assert json.loads(render(a_review(broken)).encode())["findings"][0]["issue"] == broken.issue
