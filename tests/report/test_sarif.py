"""The log obeys the schema that OASIS publishes for SARIF 2.1.0, and says what code scanning needs."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from msgspec import structs
from msgspec.structs import replace
from tests.report.samples import INJECTION, LOOP, QUERIES, SQL, VERB, a_review, hostile_review

from fastapi_architect.findings.severity import Confidence, Severity
from fastapi_architect.report.sarif import render
from fastapi_architect.review.pipeline import Request, review
from fastapi_architect.source.location import Location

STANDARD = Path(__file__).parent / "standard" / "sarif-schema-2.1.0.json"
VALIDATOR = jsonschema.Draft4Validator(
    json.loads(STANDARD.read_text("utf-8")), format_checker=jsonschema.FormatChecker()
)


def run_of(result, **more):
    log = json.loads(render(result, **more))
    VALIDATOR.validate(log)
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    return run


@pytest.mark.parametrize(
    "review",
    [a_review(), hostile_review(), replace(a_review(), findings=(), suppressed=(), not_analysed=())],
    ids=["one of each", "hostile", "clean"],
)
def test_the_log_obeys_the_standard(review):
    run_of(review)


def test_the_log_of_a_whole_review_obeys_the_standard():
    example = Path(__file__).parents[2] / "examples" / "bookshop_vulnerable"
    run = run_of(review(Request(path=example, cache=False)))
    assert any(result.get("codeFlows") for result in run["results"])


def test_a_result_says_rule_level_place_and_message():
    result = run_of(a_review(INJECTION))["results"][0]
    assert (result["ruleId"], result["level"]) == ("sql-injection-raw-statement", "error")
    assert result["message"]["text"].startswith(INJECTION.issue)
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "app/routes/users.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 42, "endLine": 43, "startColumn": 5, "endColumn": 12},
            }
        }
    ]
    assert result["properties"]["security-severity"] == "9.8"


def test_the_trace_is_a_code_flow():
    [flow] = run_of(a_review(INJECTION))["results"][0]["codeFlows"]
    steps = [
        (
            step["location"]["physicalLocation"]["region"]["startLine"],
            step["location"]["message"]["text"],
        )
        for step in flow["threadFlows"][0]["locations"]
    ]
    assert steps == [(12, "query parameter `name` of GET /users"), (42, "session.execute(query)")]


def test_fingerprints_are_ours_and_githubs_key_follows_them():
    result = run_of(a_review(INJECTION))["results"][0]
    assert result["partialFingerprints"] == {
        "fastapiArchitect/v1": INJECTION.fingerprint,
        "primaryLocationLineHash": f"{'a' * 20}{'b' * 8}:1",
    }


@pytest.mark.parametrize(
    ("severity", "confidence", "level"),
    [
        (Severity.CRITICAL, Confidence.CERTAIN, "error"),
        (Severity.IMPORTANT, Confidence.FIRM, "error"),
        (Severity.IMPORTANT, Confidence.TENTATIVE, "warning"),
        (Severity.MINOR, Confidence.CERTAIN, "warning"),
        (Severity.MINOR, Confidence.TENTATIVE, "note"),
        (Severity.INFO, Confidence.CERTAIN, "note"),
    ],
)
def test_levels_follow_severity_and_confidence(severity, confidence, level):
    finding = replace(INJECTION, severity=severity, confidence=confidence)
    assert run_of(a_review(finding))["results"][0]["level"] == level


def test_a_rule_carries_help_weakness_and_its_capped_score():
    capped = structs.replace(SQL, severity=Severity.IMPORTANT)
    rules = run_of(a_review(replace(INJECTION, rule=capped), QUERIES))["tool"]["driver"]["rules"]
    by_name = {rule["id"]: rule for rule in rules}
    sql = by_name[SQL.name]
    assert sql["properties"]["security-severity"] == "6.9"
    assert sql["properties"]["tags"] == ["security", "injection", "external/cwe/cwe-089"]
    assert sql["help"]["markdown"].startswith("# 🔒 sql-injection-raw-statement")
    assert "security-severity" not in by_name[LOOP.name]["properties"]
    assert by_name[LOOP.name]["properties"]["tags"] == ["database", "orm"]


def test_silenced_findings_are_suppressed_results():
    result = run_of(a_review())["results"][-1]
    assert result["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "an old client"}
    ]


def test_columns_count_characters_and_paths_are_encoded():
    finding = replace(VERB, location=Location("app/routes/naïve file.py", 1, 0, 1, 23))
    place = run_of(a_review(finding), prefix="/backend/")["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "backend/app/routes/na%C3%AFve%20file.py"
    assert place["region"] == {"startLine": 1, "startColumn": 1, "endColumn": 23}


def test_what_was_not_analysed_is_a_notification():
    [notification] = run_of(a_review())["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "not analysed: invalid syntax"
    assert notification["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
