"""Findings made by hand, the same for every test."""

from __future__ import annotations

from msgspec.structs import replace

from fastapi_architect.findings.finding import Finding, RuleInfo
from fastapi_architect.findings.severity import Category, Confidence, Severity
from fastapi_architect.source.location import Location


def a_rule(
    name="sql-injection-raw-statement", category=Category.SECURITY, severity=Severity.CRITICAL, **more
):
    return RuleInfo(
        name,
        more.pop("title", f"Title of {name}"),
        category,
        more.pop("topic", category.value),
        severity,
        **more,
    )


def a_finding(rule=None, path="app/users.py", line=1, **more):
    rule = rule if isinstance(rule, RuleInfo) else a_rule(rule or "sql-injection-raw-statement")
    defaults = {"issue": f"{rule.name} here", "severity": rule.severity, "confidence": Confidence.CERTAIN}
    location = Location(path, line, 4, more.pop("end_line", line), 20)
    return replace(Finding(rule, location, defaults.pop("issue")), **{**defaults, **more})
