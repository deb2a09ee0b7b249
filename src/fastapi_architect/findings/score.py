"""The project's score, 0 to 100: monotone, self-explaining, and blind to the size of files.

Adding a finding, or making one surer or graver, never raises the score; removing one never lowers it. The
points that rules lose sum to `100 - raw`. Nothing is averaged over files or divided by lines, so that padding
cannot help.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from fastapi_architect.findings.finding import Finding, RuleInfo
from fastapi_architect.findings.severity import Category, Confidence, Severity

_WEIGHT = {Severity.CRITICAL: 12.0, Severity.IMPORTANT: 4.0, Severity.MINOR: 1.0, Severity.INFO: 0.0}
_CERTAINTY = {Confidence.CERTAIN: 1.0, Confidence.FIRM: 0.8, Confidence.TENTATIVE: 0.4}
# Repeats of one rule weigh less each time; every critical counts in full.
_REPEAT = {Severity.CRITICAL: 1.0, Severity.IMPORTANT: 0.85, Severity.MINOR: 0.7, Severity.INFO: 1.0}
_CEILINGS = (100, 69, 59, 49, 39, 29)
_HALF_LIFE = 25.0
_UNITS = 50.0
_GRADES = ((90, "A"), (75, "B"), (60, "C"), (40, "D"))


class RuleLoss(msgspec.Struct, frozen=True):
    """Points that one rule takes from the score, and the score after fixing all its findings."""

    rule: RuleInfo
    findings: int
    points: float
    score_after: int


class Score(msgspec.Struct, frozen=True):
    """The project's score; losses sum to `100 - raw`.

    Attributes:
        value: 0 to 100, whole.
        grade: A to E.
        raw: before the ceiling and before rounding down.
        ceiling: 100, or less when firm or certain critical findings are present.
        losses: one a rule that costs points, the dearest first.
        by_category: the same formula over each category's own findings, by the category's value.
        criticals: firm and certain critical findings; they set the ceiling.
    """

    value: int
    grade: str
    raw: float
    ceiling: int
    losses: tuple[RuleLoss, ...]
    by_category: dict[str, int] = msgspec.field(default_factory=dict)
    criticals: int = 0


def score(findings: Iterable[Finding], units: int) -> Score:
    """Score the active findings of a project.

    Args:
        findings: neither suppressed nor in the baseline, severity and CVSS computed.
        units: operations + tasks + ORM models + revisions; the baseline's number when comparing two runs.
    """
    active = list(findings)
    half_life = _HALF_LIFE * max(1.0, math.sqrt(max(units, 0) / _UNITS))
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in active:
        by_rule[finding.rule.name].append(finding)
    penalties = {name: _penalty(by_rule[name]) for name in sorted(by_rule)}
    raw = _raw(penalties.values(), half_life)
    criticals = _criticals(active)
    value = _value(raw, criticals)
    return Score(
        value=value,
        grade=grade(value),
        raw=raw,
        ceiling=_ceiling(criticals),
        losses=_losses(by_rule, penalties, raw, half_life, criticals),
        by_category={category.value: _category(active, category, half_life) for category in Category},
        criticals=criticals,
    )


def grade(value: int) -> str:
    """The grade of a score: A from 90, B from 75, C from 60, D from 40, E below."""
    return next((letter for least, letter in _GRADES if value >= least), "E")


def weight(finding: Finding) -> float:
    """What one finding weighs before repeats of its rule are discounted."""
    scored = 1.0 if finding.cvss_score is None else 0.6 + 0.04 * finding.cvss_score
    return _WEIGHT[finding.severity] * _CERTAINTY[finding.confidence] * scored


def _penalty(findings: Sequence[Finding]) -> float:
    """The penalty of one rule: per severity, heaviest first, each repeat discounted once more."""
    terms = []
    for severity, rate in _REPEAT.items():
        weights = sorted(
            (weight(finding) for finding in findings if finding.severity is severity), reverse=True
        )
        terms += [each * rate**rank for rank, each in enumerate(weights)]
    return math.fsum(terms)


def _raw(penalties: Iterable[float], half_life: float) -> float:
    return float(100 * 2 ** (-math.fsum(penalties) / half_life))


def _criticals(findings: Iterable[Finding]) -> int:
    return sum(
        finding.severity is Severity.CRITICAL and finding.confidence is not Confidence.TENTATIVE
        for finding in findings
    )


def _ceiling(criticals: int) -> int:
    return _CEILINGS[min(criticals, len(_CEILINGS) - 1)]


def _value(raw: float, criticals: int) -> int:
    return math.floor(min(raw, _ceiling(criticals)))


def _category(findings: Sequence[Finding], category: Category, half_life: float) -> int:
    own: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.rule.category is category:
            own[finding.rule.name].append(finding)
    raw = _raw([_penalty(own[name]) for name in sorted(own)], half_life)
    return _value(raw, sum(_criticals(group) for group in own.values()))


def _losses(
    by_rule: dict[str, list[Finding]],
    penalties: dict[str, float],
    raw: float,
    half_life: float,
    criticals: int,
) -> tuple[RuleLoss, ...]:
    total = math.fsum(penalties.values())
    losses = []
    for name, penalty in penalties.items():
        if penalty == 0:
            continue
        rest = _raw([other for key, other in penalties.items() if key != name], half_life)
        losses.append(
            RuleLoss(
                rule=by_rule[name][0].rule,
                findings=len(by_rule[name]),
                points=(100 - raw) * penalty / total,
                score_after=_value(rest, criticals - _criticals(by_rule[name])),
            )
        )
    return tuple(sorted(losses, key=lambda loss: (-loss.points, loss.rule.name)))
