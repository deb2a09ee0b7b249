"""How bad, how sure and of which kind a result is, in our words.

Severity, the first of these that the file has:

1. `severity` among the properties, where the tool is our own.
2. `security-severity` of the result or its rule (GitHub's property, a CVSS score from 0.0 to 10.0): from 7.0 critical, from 4.0
   important, above 0 minor, 0 info: the bands by which our own rules are judged, so that one gate means one thing.
3. `level` of the result, else of its rule (SARIF 2.1.0, 3.27.10 and 3.50.4): error is important, warning minor, note and none
   info. No level alone makes a finding critical: a linter calls everything an error.
4. `rank` from 0 to 100 (3.27.25), in the bands of the score, ten times as high.
5. warning, which 3.27.10 has for a level that nobody gives.

Confidence: our own word where the tool is ours; else what Semgrep (tag `LOW CONFIDENCE`), Bandit (`issue_confidence`) or GitHub
(`precision` of the rule) calls low is tentative and closes no gate, as is a result that somebody still has to look at (kinds `open`
and `review`, 3.27.9). Everything else is firm: certain is what we have shown ourselves.
"""

from __future__ import annotations

import re

from fastapi_architect.findings.severity import Category, Confidence, Severity
from fastapi_architect.report import wording
from fastapi_architect.secapi.imports.log import Descriptor, Result
from fastapi_architect.secapi.imports.rules import properties_of, tags_of, texts_in

_LEVELS = {
    "error": Severity.IMPORTANT,
    "warning": Severity.MINOR,
    "note": Severity.INFO,
    "none": Severity.INFO,
}
_SEVERITIES = {each.value for each in Severity}
_CONFIDENCES = {each.value for each in Confidence}
_CWE = re.compile(r"\bcwe[-_ :/]?0{0,5}([1-9][0-9]{0,4})(?![0-9])", re.IGNORECASE)
_CATEGORIES = {each.value.replace("_", "-"): each for each in Category}


def is_own(tool: str) -> bool:
    """Whether a run is of our own engine."""
    return tool == wording.TOOL


def severity_of(result: Result, rule: Descriptor, *, own: bool) -> Severity:
    """How bad a result is.

    Args:
        result: of a run.
        rule: its rule.
        own: the run is of our own engine.
    """
    stated = properties_of(result.properties).get("severity") if own else None
    if isinstance(stated, str) and stated in _SEVERITIES:
        return Severity(stated)
    score = score_of(result, rule)
    if score is not None:
        return _band(score)
    configured = rule.default_configuration
    level = result.level or (configured.level if configured is not None else None)
    if result.level is None and result.kind not in (None, "fail"):
        level = "none"
    if level in _LEVELS:
        return _LEVELS[level]
    rank = result.rank if result.rank is not None else (configured.rank if configured is not None else None)
    return _LEVELS["warning"] if rank is None or not 0 <= rank <= 100 else _band(rank / 10)


def score_of(result: Result, rule: Descriptor) -> float | None:
    """The CVSS score of a result, from 0 to 10 with one digit."""
    for bag in (result.properties, rule.properties):
        stated = properties_of(bag).get("security-severity")
        if isinstance(stated, str | int | float) and not isinstance(stated, bool):
            try:
                score = float(stated)
            except (ValueError, OverflowError):
                continue
            if 0 <= score <= 10:
                return round(score, 1)
    return None


def confidence_of(result: Result, rule: Descriptor, *, own: bool) -> Confidence:
    """How sure the tool is.

    Args:
        result: of a run.
        rule: its rule.
        own: the run is of our own engine.
    """
    said = properties_of(result.properties)
    stated = said.get("confidence") if own else None
    if isinstance(stated, str) and stated in _CONFIDENCES:
        return Confidence(stated)
    if result.kind in ("open", "review"):
        return Confidence.TENTATIVE
    words = {each.lower() for each in tags_of(rule)}
    grades = [each for each in ("high", "medium", "low") if f"{each} confidence" in words]
    grades += [*texts_in(said, "issue_confidence"), *texts_in(properties_of(rule.properties), "precision")]
    return Confidence.TENTATIVE if grades and grades[0].lower() == "low" else Confidence.FIRM


def category_of(rule: Descriptor, cwe: str | None, score: float | None) -> Category:
    """Which of the seven categories a rule belongs to."""
    tags = [each.lower() for each in tags_of(rule)]
    for tag in tags:
        if tag in _CATEGORIES:
            return _CATEGORIES[tag]
    return Category.SECURITY if cwe is not None or score is not None else Category.CODE_QUALITY


def cwe_of(result: Result, rule: Descriptor) -> str | None:
    """The weakness that a result or its rule names first: as a taxon, a related one, a tag or a property."""
    related = [each.target for each in rule.relationships or () if each.target is not None]
    for taxon in (*(result.taxa or ()), *related):
        component = taxon.tool_component
        if component is not None and (component.name or "").upper() == "CWE" and taxon.id is not None:
            digits = taxon.id.upper().removeprefix("CWE-").lstrip("0")
            if digits.isascii() and digits.isdigit() and len(digits) <= 5:
                return f"CWE-{digits}"
    bags = (properties_of(result.properties), properties_of(rule.properties))
    for text in (text for bag in bags for name in ("tags", "cwe") for text in texts_in(bag, name)):
        found = _CWE.search(text)
        if found is not None:
            return f"CWE-{found[1]}"
    return None


def _band(score: float) -> Severity:
    if score >= 7.0:
        return Severity.CRITICAL
    if score >= 4.0:
        return Severity.IMPORTANT
    return Severity.MINOR if score > 0 else Severity.INFO
