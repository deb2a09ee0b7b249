"""The total order of findings, and which of them a text report shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Category, Severity

PERFORMANCE = 5
CODE_QUALITY = 5
PER_RULE_AND_FILE = 3

_CATEGORIES = list(Category)


class Selection(msgspec.Struct, frozen=True):
    """Findings to show, and how many each category keeps back."""

    shown: tuple[Finding, ...]
    hidden: dict[Category, int]


def sort_key(finding: Finding) -> tuple[object, ...]:
    """Security first, then the graver, the dearer, the surer; at last place and text, so that no two tie."""
    place = finding.location
    return (
        finding.rule.category is not Category.SECURITY,
        -finding.severity.rank,
        -(finding.cvss_score or 0.0),
        -finding.impact,
        -finding.confidence.rank,
        _CATEGORIES.index(finding.rule.category),
        place.path,
        place.line,
        place.column,
        place.end_line,
        place.end_column,
        finding.rule.name,
        finding.issue,
        finding.fingerprint,
    )


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of every report."""
    return tuple(sorted(findings, key=sort_key))


def is_performance(finding: Finding) -> bool:
    """Whether it competes for the places of performance: its category, or a cost that was counted."""
    category = finding.rule.category
    return category is Category.PERFORMANCE or (finding.impact > 0 and category is not Category.SECURITY)


def select(findings: Sequence[Finding], *, everything: bool = False) -> Selection:
    """Choose what a text report shows; order kept.

    Every critical finding is shown, without limit; the five performance findings with the largest impact,
    the five best code-quality improvements, and of the others three of one rule in one file.

    Args:
        findings: as `ordered` returned them.
        everything: hide nothing.
    """
    if everything:
        return Selection(tuple(findings), {})
    performance = [each for each in findings if is_performance(each)]
    performance.sort(key=lambda each: (-each.impact, sort_key(each)))
    quality = [
        each for each in findings if each.rule.category is Category.CODE_QUALITY and not is_performance(each)
    ]
    best = {id(each) for each in (*performance[:PERFORMANCE], *quality[:CODE_QUALITY])}
    limited = {id(each) for each in (*performance, *quality)}
    shown: list[Finding] = []
    hidden: Counter[Category] = Counter()
    seen: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        key = (finding.rule.name, finding.location.path)
        if finding.severity is Severity.CRITICAL:
            keep = True
        elif id(finding) in limited:
            keep = id(finding) in best
        else:
            keep = seen[key] < PER_RULE_AND_FILE
            seen[key] += 1
        if keep:
            shown.append(finding)
        else:
            hidden[finding.rule.category] += 1
    return Selection(tuple(shown), {category: hidden[category] for category in Category if hidden[category]})
