"""The review as JSON, for programs: the contract's keys always, more beside them."""

from __future__ import annotations

from typing import Any

import msgspec

from fastapi_architect.findings.finding import Finding, Fix, Step
from fastapi_architect.findings.score import Score
from fastapi_architect.report import wording
from fastapi_architect.review.result import Review


def render(review: Review) -> str:
    """The whole review, all findings, as one JSON document with a line break at its end."""
    whole = document(review)
    try:
        return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"
    except UnicodeEncodeError:
        # A lone surrogate in a reviewed text has no UTF-8; the standard library can write it as an escape.
        import json

        text = json.dumps(whole, indent=2, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def document(review: Review) -> dict[str, Any]:
    """The review as plain values; `review_time_ms` is the only one that differs between equal runs."""
    return {
        "agent": "backend-reviewer",
        "color": "#10B981",
        "model": wording.tool_and_version(),
        "category": "Backend",
        "severity": wording.overall(review).value,
        "score": review.score.value,
        "review_time_ms": review.review_time_ms,
        "strengths": [strength.text for strength in review.strengths],
        "findings": [finding_document(finding) for finding in review.findings],
        "not_analysed": [
            {"file": each.file, "line": each.line or None, "reason": each.reason}
            for each in review.not_analysed
        ],
        "root": review.root,
        "files": review.files,
        "lines": review.lines,
        "gate": review.gate,
        "failed": review.failed,
        "grade": review.score.grade,
        "score_details": _score(review.score),
        "applications": [
            {
                "name": each.name,
                "root": each.root,
                "operations": each.operations,
                "websockets": each.websockets,
                "authenticated": each.authenticated,
                "public": each.public,
            }
            for each in review.applications
        ],
        "checklist": [
            {
                "section": item.section,
                "title": item.title,
                "verdict": item.verdict,
                "rules": list(item.rules),
                "findings": item.findings,
                "note": item.note,
            }
            for item in review.checklist
        ],
        "suppressed": [
            {**finding_document(each.finding), "by": each.by, "reason": each.reason}
            for each in review.suppressed
        ],
        "left_out": dict(sorted(review.left_out.items())),
        "partial": review.partial,
        "notes": list(review.notes),
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as plain values."""
    rule, place = finding.rule, finding.location
    return {
        "file": place.path,
        "line": place.line,
        "end_line": place.end_line or place.line,
        "column": place.column,
        "rule": rule.name,
        "title": rule.title,
        "category": rule.category.value,
        "topic": rule.topic,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "issue": finding.issue,
        "reasoning": wording.reasoning(finding),
        "exploit": wording.exploit(finding),
        "suggestion": wording.suggestion(finding),
        "impact": rule.category.title,
        "cost": finding.impact or None,
        "cwe": wording.cwe_name(rule),
        "cvss_score": finding.cvss_score,
        "cvss_vector": finding.cvss_vector,
        "cvss_notes": list(finding.cvss_notes),
        "emoji": rule.category.emoji,
        "routes": list(finding.routes),
        "trace": [_step(step) for step in finding.trace],
        "fix": None if finding.fix is None else _fix(finding.fix),
        "fingerprint": finding.fingerprint,
        "application": finding.application,
        "symbol": finding.symbol,
        "docs": wording.page_of(rule),
        "references": list(rule.references),
    }


def _step(step: Step) -> dict[str, Any]:
    return {"file": step.location.path, "line": step.location.line, "text": step.text}


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [
        {
            "file": edit.location.path,
            "line": edit.location.line,
            "column": edit.location.column,
            "end_line": edit.location.end_line or edit.location.line,
            "end_column": edit.location.end_column if edit.location.end_line else edit.location.column,
            "text": edit.text,
        }
        for edit in fix.edits
    ]
    return {
        "title": fix.title,
        "safe": fix.safe,
        "changes_contract": fix.changes_contract,
        "edits": edits,
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "raw": round(score.raw, 4),
        "ceiling": score.ceiling,
        "criticals": score.criticals,
        "by_category": dict(score.by_category),
        "losses": [
            {
                "rule": loss.rule.name,
                "findings": loss.findings,
                "points": round(loss.points, 4),
                "score_after": loss.score_after,
            }
            for loss in score.losses
        ],
    }
