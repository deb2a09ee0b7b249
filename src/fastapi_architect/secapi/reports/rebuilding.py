"""A `Review` from the JSON report of the engine, so that pages and SARIF are those of the command line.

A process that is not believed wrote the document: every field is checked again. It has no lines of code and no matrix of
routes, and so have the reports.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from fastapi_architect.findings.finding import Finding, Fix, RuleInfo, Step
from fastapi_architect.findings.score import RuleLoss, Score, grade
from fastapi_architect.findings.severity import Category, Confidence, Severity
from fastapi_architect.findings.suppression import Suppressed
from fastapi_architect.review.result import (
    ApplicationSummary,
    ChecklistItem,
    NotAnalysed,
    Review,
    Strength,
)
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.source.edit import Edit
from fastapi_architect.source.location import Location


class UnreadableReport(ValueError):
    """The document is no report of the engine; the message says where."""


class _Step(msgspec.Struct, frozen=True):
    file: str
    line: int
    text: str


class _Edit(msgspec.Struct, frozen=True):
    file: str
    line: int
    text: str
    column: int = 0
    end_line: int = 0
    end_column: int = 0


class _Fix(msgspec.Struct, frozen=True):
    title: str
    safe: bool = False
    changes_contract: bool = False
    edits: tuple[_Edit, ...] = ()


class _Finding(msgspec.Struct, frozen=True):
    file: str
    line: int
    rule: str
    severity: Severity
    confidence: Confidence
    fingerprint: str
    end_line: int = 0
    column: int = 0
    title: str = ""
    category: Category = Category.CODE_QUALITY
    topic: str = ""
    issue: str = ""
    reasoning: str = ""
    exploit: str = ""
    suggestion: str = ""
    cost: float | None = None
    cwe: str | None = None
    cvss_score: float | None = None
    cvss_vector: str | None = None
    cvss_notes: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    trace: tuple[_Step, ...] = ()
    fix: _Fix | None = None
    application: str = ""
    symbol: str = ""
    references: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""


class _NotAnalysed(msgspec.Struct, frozen=True):
    file: str
    reason: str
    line: int | None = None


class _Loss(msgspec.Struct, frozen=True):
    rule: str
    findings: int
    points: float
    score_after: int


class _ScoreDetails(msgspec.Struct, frozen=True):
    raw: float = 0.0
    ceiling: int = 100
    criticals: int = 0
    by_category: dict[str, int] = {}
    losses: tuple[_Loss, ...] = ()


class _Report(msgspec.Struct, frozen=True):
    score: int | None
    findings: tuple[_Finding, ...]
    not_analysed: tuple[_NotAnalysed, ...]
    score_details: _ScoreDetails = _ScoreDetails()
    strengths: tuple[str, ...] = ()
    applications: tuple[ApplicationSummary, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    suppressed: tuple[_Finding, ...] = ()
    left_out: dict[str, int] = {}
    files: int = 0
    lines: int = 0
    notes: tuple[str, ...] = ()


def rebuilt(document: Mapping[str, Any], name: str, *, is_imported: bool = False) -> Review:
    """Return the review of which the engine wrote the document.

    A document without a score gives a review whose score is 0, which nobody shall show.

    Args:
        document: as the engine's JSON report has it.
        name: how the reviewed folder is called for readers.
        is_imported: another tool found it: a rule that has the name of one of ours is another rule.

    Raises:
        UnreadableReport: it is none.
    """
    try:
        report = msgspec.convert(document, _Report)
    except (msgspec.ValidationError, RecursionError) as error:
        raise UnreadableReport(str(error)) from error
    return Review(
        root=name,
        findings=tuple(_finding(each, is_imported=is_imported) for each in report.findings),
        suppressed=tuple(
            Suppressed(_finding(each, is_imported=is_imported), each.by, each.reason)
            for each in report.suppressed
        ),
        not_analysed=tuple(
            NotAnalysed(each.file, each.reason, each.line or 0) for each in report.not_analysed
        ),
        left_out=report.left_out,
        # What was measured stands in the sentence.
        strengths=tuple(Strength(each, 0, 0) for each in report.strengths),
        checklist=report.checklist,
        applications=report.applications,
        score=_score(report),
        files=report.files,
        lines=report.lines,
        # Of the scan, not of one root.
        gate="none",
        failed=False,
        notes=report.notes,
    )


def _score(report: _Report) -> Score:
    details = report.score_details
    titles = {each.rule: each for each in report.findings}
    losses = [
        RuleLoss(_rule(each.rule, titles.get(each.rule)), each.findings, each.points, each.score_after)
        for each in details.losses
        # A share of nothing cannot be drawn.
        if each.points > 0
    ]
    return Score(
        value=report.score or 0,
        grade=grade(report.score or 0),
        raw=details.raw,
        ceiling=details.ceiling,
        losses=tuple(sorted(losses, key=lambda each: -each.points)),
        by_category=details.by_category,
        criticals=details.criticals,
    )


def _finding(each: _Finding, *, is_imported: bool) -> Finding:
    return Finding(
        rule=_told(each) if is_imported else _rule(each.rule, each),
        location=Location(each.file, each.line, each.column, each.end_line),
        issue=each.issue,
        suggestion=each.suggestion,
        reasoning=each.reasoning,
        exploit=each.exploit,
        confidence=each.confidence,
        severity=each.severity,
        trace=tuple(Step(Location(step.file, step.line), step.text) for step in each.trace),
        fix=None if each.fix is None else _fix(each.fix),
        routes=each.routes,
        symbol=each.symbol,
        impact=each.cost or 0.0,
        cvss_score=each.cvss_score,
        cvss_vector=each.cvss_vector,
        cvss_notes=each.cvss_notes,
        fingerprint=each.fingerprint,
        application=each.application,
    )


def _fix(fix: _Fix) -> Fix:
    edits = [
        Edit(Location(each.file, each.line, each.column, each.end_line, each.end_column), each.text)
        for each in fix.edits
    ]
    return Fix(fix.title, tuple(edits), fix.safe, fix.changes_contract)


def _rule(name: str, example: _Finding | None) -> RuleInfo:
    """What is known about a rule: of an older engine that had another one, what its findings say."""
    known = all_rules().get(name)
    if known is not None:
        return known.info
    if example is None:
        return RuleInfo(name, name, Category.CODE_QUALITY, "", Severity.INFO)
    return _told(example)


def _told(example: _Finding) -> RuleInfo:
    """A rule as one of its findings tells it."""
    number = (example.cwe or "").removeprefix("CWE-")
    return RuleInfo(
        example.rule,
        example.title or example.rule,
        example.category,
        example.topic,
        example.severity,
        cwe=int(number) if number.isascii() and number.isdigit() else None,
        references=example.references,
    )
