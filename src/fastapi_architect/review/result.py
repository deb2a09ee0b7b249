"""A `Review`: everything that a report may say about one run."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.score import RuleLoss, Score
from fastapi_architect.findings.suppression import Suppressed

__all__ = [
    "CONTEXT",
    "ApplicationSummary",
    "ChecklistItem",
    "NotAnalysed",
    "Review",
    "RuleLoss",
    "Score",
    "Spent",
    "Strength",
    "Suppressed",
]

# Lines of code shown above and below a finding.
CONTEXT = 3


class NotAnalysed(msgspec.Struct, frozen=True):
    """A file, or a part of it, that could not be analysed, and why."""

    file: str
    reason: str
    line: int = 0


class Strength(msgspec.Struct, frozen=True):
    """A measured fact that speaks for the code: "all 42 operations declare a response model"."""

    text: str
    measured: int
    total: int


class ChecklistItem(msgspec.Struct, frozen=True):
    """One item of the quality or security checklist; verdict is pass, fail or not-assessed."""

    section: str
    title: str
    verdict: str
    rules: tuple[str, ...]
    findings: int
    note: str = ""


class Spent(msgspec.Struct, frozen=True):
    """CPU seconds by rule and by shared question, dearest first."""

    rules: dict[str, float]
    questions: dict[str, float]


class ApplicationSummary(msgspec.Struct, frozen=True):
    """One application root: its name, folder and size, for the head of a report."""

    name: str
    root: str
    operations: int
    websockets: int
    authenticated: int
    public: int


class Review(msgspec.Struct, frozen=True):
    """The result of one run; reports render it and decide nothing.

    Attributes:
        root: the reviewed folder as the user named it.
        findings: active ones, most severe first (security leads), order fully determined.
        suppressed: silenced ones with reasons.
        contested: suppressions of the reviewed code that do not count; their findings are among the active ones.
        left_out: findings in tests, vendored and generated code, by kind ("tests": 12): read for facts,
            not reported.
        matrix: rows for `architect map`, kept opaque here (see `appgraph.matrix`).
        gate: severity name at and above which the gate fails; failed: whether it did.
        notes: what a reader should know besides: problems of suppressions, entries of the baseline that are
            gone.
        snippets: "path:line" of a finding -> the lines from `CONTEXT` above it (fewer at the top of the file) to
            `CONTEXT` below its last line.
        faults: rules that failed: faults of this tool, with what a maintainer needs.
        units: size of the project for its score.
        spent: CPU of rules and shared questions, where that was asked for; never part of the deterministic part.
        partial: some files or lines alone were asked for: findings, score and gate are of these.
        answer: what the request's own question to the graph gave.
    """

    root: str
    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    not_analysed: tuple[NotAnalysed, ...]
    left_out: dict[str, int]
    strengths: tuple[Strength, ...]
    checklist: tuple[ChecklistItem, ...]
    applications: tuple[ApplicationSummary, ...]
    score: Score
    files: int
    lines: int
    gate: str
    failed: bool
    notes: tuple[str, ...] = ()
    matrix: tuple[object, ...] = ()
    snippets: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    review_time_ms: int = 0
    units: int = 0
    faults: tuple[Exception, ...] = ()
    contested: tuple[Suppressed, ...] = ()
    spent: Spent | None = None
    answer: object = None
    partial: bool = False
