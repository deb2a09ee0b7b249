"""SARIF in the forms in which tools write it, each cut down to what makes it that tool's."""

from __future__ import annotations

import gzip
import json
from typing import Any

RULE = "python.sqlalchemy.security.raw-query.raw-query"


def log(*runs: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": list(runs),
    }


def packed(document: dict[str, Any]) -> bytes:
    """A document as a client sends it."""
    return gzip.compress(json.dumps(document).encode(), mtime=0)


def place(uri: str, line: int, **more: Any) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line, **more}}}


def run(
    tool: str, *results: dict[str, Any], rules: list[dict[str, Any]] | None = None, **more: Any
) -> dict[str, Any]:
    return {"tool": {"driver": {"name": tool, "rules": rules or []}}, "results": list(results), **more}


def result(
    rule: str = "R1", uri: str = "app/main.py", line: int = 3, text: str = "Bad.", **more: Any
) -> dict[str, Any]:
    return {"ruleId": rule, "message": {"text": text}, "locations": [place(uri, line)], **more}


def semgrep() -> dict[str, Any]:
    """Of who has not signed in: every fingerprint says so. Precision is always the same, and the tag is what counts."""
    located = place(
        "app/db.py", 12, startColumn=5, endLine=12, endColumn=40, snippet={"text": "    db.execute(text(q))"}
    )
    located["physicalLocation"]["artifactLocation"]["uriBaseId"] = "%SRCROOT%"
    rule = {
        "id": RULE,
        "name": RULE,
        "defaultConfiguration": {"level": "error"},
        "shortDescription": {"text": f"Semgrep Finding: {RULE}"},
        "fullDescription": {"text": "Raw SQL."},
        "help": {"text": "Bind parameters.", "markdown": "Bind parameters."},
        "helpUri": "https://semgrep.dev/r/raw-query",
        "properties": {
            "precision": "very-high",
            "tags": [
                "CWE-89: Improper Neutralization",
                "LOW CONFIDENCE",
                "OWASP-A03:2021 - Injection",
                "security",
            ],
        },
    }
    found = {
        "fingerprints": {"matchBasedId/v1": "requires login"},
        "ruleId": RULE,
        "message": {"text": "Avoid raw SQL."},
        "locations": [located],
        "properties": {},
    }
    driver = {"name": "Semgrep OSS", "semanticVersion": "1.99.0", "rules": [rule]}
    return {"tool": {"driver": driver}, "results": [found], "invocations": [{"executionSuccessful": True}]}


def bandit() -> dict[str, Any]:
    rule = {
        "id": "B608",
        "name": "hardcoded_sql_expressions",
        "properties": {"tags": ["security", "external/cwe/cwe-89"], "precision": "high"},
        "helpUri": "https://bandit.readthedocs.io/en/1.8.0/plugins/b608_hardcoded_sql_expressions.html",
    }
    found = {
        "ruleId": "B608",
        "ruleIndex": 0,
        "level": "warning",
        "message": {"text": "Possible SQL injection."},
        "locations": [place("app/db.py", 12, snippet={"text": "    q = f'SELECT {x}'\n"})],
        "properties": {"issue_confidence": "LOW", "issue_severity": "MEDIUM"},
    }
    driver = {
        "name": "Bandit",
        "organization": "PyCQA",
        "semanticVersion": "1.8.0",
        "version": "1.8.0",
        "rules": [rule],
    }
    return {"tool": {"driver": driver}, "results": [found], "columnKind": "unicodeCodePoints"}


def codeql() -> dict[str, Any]:
    """Rules are in an extension, messages have links, and paths stand in a table."""
    rule = {
        "id": "py/sql-injection",
        "name": "py/sql-injection",
        "shortDescription": {"text": "SQL query built from user-controlled sources"},
        "defaultConfiguration": {"enabled": True, "level": "error"},
        "properties": {
            "tags": ["security", "external/cwe/cwe-089"],
            "precision": "high",
            "problem.severity": "error",
            "security-severity": "8.8",
        },
    }
    step = {"location": {**place("app/main.py", 4), "message": {"text": "ControlFlowNode for title"}}}
    found = {
        "ruleId": "py/sql-injection",
        "rule": {"id": "py/sql-injection", "index": 0, "toolComponent": {"index": 0}},
        "message": {"text": "This query depends on a [user-provided value](1)."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"index": 0},
                    "region": {"startLine": 9, "startColumn": 17},
                }
            }
        ],
        "partialFingerprints": {
            "primaryLocationLineHash": "a1b2c3:1",
            "primaryLocationStartColumnFingerprint": "12",
        },
        "codeFlows": [{"threadFlows": [{"locations": [step, step]}]}],
    }
    return {
        "tool": {
            "driver": {"name": "CodeQL", "semanticVersion": "2.20.0", "rules": []},
            "extensions": [{"name": "codeql/python-queries", "rules": [rule]}],
        },
        "artifacts": [{"location": {"uri": "app/my%20main.py", "uriBaseId": "%SRCROOT%", "index": 0}}],
        "automationDetails": {"id": "/language:python/2026-11-22"},
        "results": [found],
    }


def ruff() -> dict[str, Any]:
    """Paths are absolute, and everything is an error."""
    rule = {
        "id": "F401",
        "name": "unused-import",
        "shortDescription": {"text": "`{name}` imported but unused"},
        "helpUri": "https://docs.astral.sh/ruff/rules/unused-import",
        "properties": {
            "id": "F401",
            "kind": "Pyflakes",
            "name": "unused-import",
            "problem.severity": "error",
        },
    }
    found = {
        "ruleId": "F401",
        "level": "error",
        "message": {"text": "`os` imported but unused"},
        "locations": [
            place("file:///builds/work/shop/shop/app/main.py", 1, startColumn=8, endLine=1, endColumn=10)
        ],
        "fixes": [{"description": {"text": "Remove unused import: `os`"}, "artifactChanges": []}],
    }
    return {"tool": {"driver": {"name": "ruff", "version": "0.14.0", "rules": [rule]}}, "results": [found]}
