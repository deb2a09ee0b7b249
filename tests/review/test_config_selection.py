"""Select, ignore and gate do what the configuration says, by category, topic, rule and path."""

from __future__ import annotations

import pytest
from tests.findings.samples import a_finding, a_rule

from fastapi_architect.findings.severity import Category, Confidence, Severity
from fastapi_architect.review.config import parse
from fastapi_architect.review.selection import fails_gate, is_kept, matches, rules_to_run

SQL = a_rule("sql-injection-raw-statement", topic="injection")
DOCS = a_rule("api-docs-exposed", topic="exposure", severity=Severity.MINOR)
LOOP = a_rule("query-inside-loop", Category.DATABASE, topic="orm", severity=Severity.IMPORTANT)
RULES = (SQL, DOCS, LOOP)
ALL = {rule.name for rule in RULES}


def config(**table):
    return parse({key.replace("_", "-"): value for key, value in table.items()}, RULES)


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ({}, ALL),
        ({"select": ["all"]}, ALL),
        ({"select": ["security"]}, {SQL.name, DOCS.name}),
        ({"select": ["orm", "exposure"]}, {LOOP.name, DOCS.name}),
        ({"select": ["security"], "ignore": ["injection"]}, {DOCS.name}),
        ({"ignore": ["query-inside-loop"]}, {SQL.name, DOCS.name}),
        ({"ignore": [{"path": "x/**", "rules": ["security"]}]}, ALL),
        ({"select": ["orm"], "per_path": {"x/**": {"select": ["injection"]}}}, {LOOP.name, SQL.name}),
    ],
)
def test_the_rules_that_run(table, names):
    assert rules_to_run(RULES, config(**table)) == names


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        ({}, ["app/a.py", "legacy/b.py"]),
        ({"ignore": [{"path": "legacy/**", "rules": ["injection"]}]}, ["app/a.py"]),
        ({"ignore": [{"path": "legacy"}]}, ["app/a.py"]),
        ({"ignore": [{"path": "legacy", "rules": ["database"]}]}, ["app/a.py", "legacy/b.py"]),
        ({"per_path": {"legacy/**": {"ignore": ["security"]}}}, ["app/a.py"]),
        ({"per_path": {"legacy/**": {"select": ["database"]}}}, ["app/a.py"]),
        ({"select": ["orm"], "per_path": {"legacy/**": {"select": ["injection"]}}}, ["legacy/b.py"]),
    ],
)
def test_the_findings_that_are_kept(table, kept):
    found = [a_finding(SQL, path=path) for path in ("app/a.py", "legacy/b.py")]
    assert [each.location.path for each in found if is_kept(each, config(**table))] == kept


@pytest.mark.parametrize(
    ("gate", "severity", "fails"),
    [
        ("important", Severity.IMPORTANT, True),
        ("important", Severity.MINOR, False),
        ("info", Severity.INFO, True),
        ("critical", Severity.IMPORTANT, False),
        ("none", Severity.CRITICAL, False),
    ],
)
def test_the_gate_fails_at_and_above_its_severity(gate, severity, fails):
    assert fails_gate(a_finding(SQL, severity=severity), config(gate=gate)) is fails


def test_a_tentative_finding_never_fails_the_gate():
    assert not fails_gate(a_finding(SQL, confidence=Confidence.TENTATIVE), config(gate="info"))


def test_a_path_may_have_its_own_gate():
    settings = config(gate="none", per_path={"app/**": {"gate": "minor"}})
    assert [fails_gate(a_finding(SQL, path=path), settings) for path in ("app/a.py", "b.py")] == [True, False]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("app/*.py", "app/a.py", True),
        ("app/*.py", "app/b/a.py", False),
        ("app/**", "app/b/a.py", True),
        ("app/**/a.py", "app/a.py", True),
        ("app/**/a.py", "app/b/c/a.py", True),
        ("**/migrations/**", "app/migrations/1.py", True),
        ("**/migrations/**", "migrations/1.py", True),
        ("app", "app/b/a.py", True),
        ("app/", "app/b/a.py", True),
        ("./app", "app/b/a.py", True),
        ("a.py", "app/b/a.py", True),
        ("*_pb2.py", "app/x_pb2.py", True),
        ("app", "happy/a.py", False),
        ("app/b", "app/bc.py", False),
        ("v?.py", "v1.py", True),
        ("v[0-9].py", "v1.py", True),
        ("v[!0-9].py", "v1.py", False),
        ("a(b.py", "a(b.py", True),
        ("[", "[", True),
    ],
)
def test_patterns(pattern, path, expected):
    assert matches(pattern, path) is expected
