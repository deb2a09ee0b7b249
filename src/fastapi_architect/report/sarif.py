"""The review as SARIF 2.1.0, for code scanning and editors.

Levels: what fails the default gate is an error (critical and important, unless tentative), minor is a
warning, info a note; a tentative finding is one step milder. `security-severity` is the CVSS score; of a
rule, at most the top of the band of its severity, so that GitHub never ranks a rule above what it can
report.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from fastapi_architect import __version__
from fastapi_architect.findings import cvss
from fastapi_architect.findings.finding import Finding, RuleInfo
from fastapi_architect.findings.fingerprint import VERSION
from fastapi_architect.findings.severity import Category, Severity
from fastapi_architect.report import explain, wording
from fastapi_architect.review.result import NotAnalysed, Review
from fastapi_architect.source.location import Location

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = ("error", "warning", "note")

_BASE = "%SRCROOT%"
_TOP = {Severity.CRITICAL: 10.0, Severity.IMPORTANT: 6.9, Severity.MINOR: 3.9, Severity.INFO: 3.9}


def render(review: Review, *, prefix: str = "") -> str:
    """The review as one SARIF log.

    Args:
        review: what to render.
        prefix: path from the repository's root to the reviewed folder, "" when they are the same.
    """
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run_of(review, prefix)]}
    text = json.dumps(log, indent=2, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def run_of(review: Review, prefix: str = "") -> dict[str, Any]:
    """The review as one run: a result for each finding, then one for each that is suppressed, in their order.

    Args:
        review: what to render.
        prefix: path from the repository's root to the reviewed folder, "" when they are the same.
    """
    return _Run(review, prefix).document()


class _Run:
    """One run; knows the index of each rule and where paths begin."""

    def __init__(self, review: Review, prefix: str) -> None:
        self.review = review
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        every = [*review.findings, *(each.finding for each in review.suppressed)]
        self.rules = {
            rule.name: rule for rule in sorted((each.rule for each in every), key=lambda rule: rule.name)
        }
        self.indices = {name: index for index, name in enumerate(self.rules)}

    def document(self) -> dict[str, Any]:
        review = self.review
        results = [self.result(finding) for finding in review.findings]
        for each in review.suppressed:
            kind = "inSource" if each.by == "comment" else "external"
            suppression = {"kind": kind, "status": "accepted", "justification": each.reason}
            results.append({**self.result(each.finding), "suppressions": [suppression]})
        return {
            "tool": {
                "driver": {
                    "name": wording.TOOL,
                    "version": __version__,
                    "semanticVersion": __version__,
                    "rules": [_rule(rule) for rule in self.rules.values()],
                }
            },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {_BASE: {"description": {"text": "The root of the repository"}}},
            "invocations": [
                {
                    "executionSuccessful": True,
                    "toolExecutionNotifications": [self.notification(each) for each in review.not_analysed],
                }
            ],
            "results": results,
            "properties": {"score": review.score.value, "grade": review.score.grade},
        }

    def result(self, finding: Finding) -> dict[str, Any]:
        rule = finding.rule
        paragraphs = [finding.issue, wording.reasoning(finding), wording.suggestion(finding)]
        result: dict[str, Any] = {
            "ruleId": rule.name,
            "ruleIndex": self.indices[rule.name],
            "level": wording.level(finding, LEVELS),
            "message": {"text": "\n\n".join(each for each in paragraphs if each)},
            "locations": [{"physicalLocation": self.place(finding.location, self.columns(finding))}],
        }
        if finding.fingerprint:
            result["partialFingerprints"] = _fingerprints(finding.fingerprint)
        if finding.trace:
            steps = [
                {"location": {"physicalLocation": self.place(step.location), "message": {"text": step.text}}}
                for step in finding.trace
            ]
            result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
        properties: dict[str, Any] = {
            "severity": finding.severity.value,
            "confidence": finding.confidence.value,
            "routes": list(finding.routes),
        }
        if finding.cvss_score is not None:
            properties |= {"security-severity": str(finding.cvss_score), "cvss": finding.cvss_vector}
        return {**result, "properties": properties}

    def place(self, location: Location, columns: dict[str, int] | None = None) -> dict[str, Any]:
        region = {"startLine": max(location.line, 1)}
        if location.end_line > location.line:
            region["endLine"] = location.end_line
        uri = quote(self.prefix + location.path, safe="/", errors="surrogatepass")
        return {"artifactLocation": {"uri": uri, "uriBaseId": _BASE}, "region": {**region, **(columns or {})}}

    def columns(self, finding: Finding) -> dict[str, int]:
        """Columns in characters, from those in bytes; none where the lines are not at hand."""
        texts = dict(wording.snippet(self.review, finding))
        place = finding.location
        first, last = texts.get(place.line), texts.get(place.end_line or place.line)
        if first is None or last is None or place.end_column == 0:
            return {}
        start, end = _characters(first, place.column) + 1, _characters(last, place.end_column) + 1
        if place.end_line <= place.line and end <= start:
            return {"startColumn": start}
        return {"startColumn": start, "endColumn": end}

    def notification(self, each: NotAnalysed) -> dict[str, Any]:
        place = self.place(Location(each.file, each.line or 1))
        if not each.line:
            del place["region"]
        return {
            "level": "warning",
            "message": {"text": f"not analysed: {each.reason}"},
            "locations": [{"physicalLocation": place}],
        }


def _rule(rule: RuleInfo) -> dict[str, Any]:
    page = explain.render(rule)
    tags = [rule.category.value.replace("_", "-"), rule.topic]
    properties: dict[str, Any] = {"precision": "high"}
    if rule.category is Category.SECURITY and rule.cwe is not None:
        tags.append(f"external/cwe/cwe-{rule.cwe:03}")
    if rule.category is Category.SECURITY and rule.cvss_vector:
        properties["security-severity"] = str(min(cvss.score(rule.cvss_vector), _TOP[rule.severity]))
    severity = {Severity.CRITICAL: "error", Severity.IMPORTANT: "error", Severity.MINOR: "warning"}
    properties["problem.severity"] = severity.get(rule.severity, "recommendation")
    return {
        "id": rule.name,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": wording.paragraphs(rule.why)[0] or rule.title},
        **({"helpUri": rule.references[0]} if rule.references else {}),
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": severity.get(rule.severity, "note")},
        "properties": {**properties, "tags": list(dict.fromkeys(tags))},
    }


def _fingerprints(fingerprint: str) -> dict[str, str]:
    """Ours, and under the key by which GitHub follows an alert: our identity in the form of its own."""
    stem, _, ordinal = fingerprint.rpartition(":")
    return {
        f"fastapiArchitect/{VERSION}": fingerprint,
        "primaryLocationLineHash": f"{stem.partition(':')[2].replace(':', '')}:{ordinal}",
    }


def _characters(line: str, column: int) -> int:
    """How many characters the first `column` UTF-8 bytes of a line hold."""
    return len(line.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))
