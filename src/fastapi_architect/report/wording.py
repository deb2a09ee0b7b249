"""What every report says alike: the fields of a finding, with the rule's words where it has none itself."""

from __future__ import annotations

import re
import unicodedata

from fastapi_architect import __version__
from fastapi_architect.findings.finding import Finding, RuleInfo
from fastapi_architect.findings.severity import Confidence, Severity
from fastapi_architect.review.result import CONTEXT, Review

TOOL = "fastapi-architect"

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200d\ufe0f"


def tool_and_version() -> str:
    """The tool with its version, as the JSON report's `model`."""
    return f"{TOOL}/{__version__}"


def page_of(rule: RuleInfo) -> str:
    """The rule's page in this project's documentation; `architect explain` prints the same."""
    return f"docs/rules/{rule.name}.md"


def cwe_name(rule: RuleInfo) -> str | None:
    """The weakness as "CWE-89"."""
    return None if rule.cwe is None else f"CWE-{rule.cwe}"


def reasoning(finding: Finding) -> str:
    """Why it is so; the first paragraph of the rule's own reasons where the finding says nothing."""
    return finding.reasoning or paragraphs(finding.rule.why)[0]


def exploit(finding: Finding) -> str:
    """How it is attacked or observed."""
    return finding.exploit or finding.rule.exploit


def suggestion(finding: Finding) -> str:
    """The next step with code; the rule's examples where the finding has no code of its own."""
    rule = finding.rule
    if finding.suggestion or not (rule.bad and rule.good):
        return finding.suggestion
    return f"# Bad\n{rule.bad.strip()}\n\n# Good\n{rule.good.strip()}"


def paragraphs(text: str) -> list[str]:
    """Paragraphs with their line breaks taken out; at least one, perhaps empty."""
    found = [" ".join(each.split()) for each in re.split(r"\n[ \t]*\n", text.strip())]
    return found or [""]


def overall(review: Review) -> Severity:
    """The severity of the whole review: that of its gravest finding, info where there is none."""
    return max((each.severity for each in review.findings), key=lambda each: each.rank, default=Severity.INFO)


def level(finding: Finding, levels: tuple[str, str, str]) -> str:
    """The finding's level in a scale of three, grave first.

    What fails the default gate (important and worse, not tentative) is the first, so that a platform which
    fails on errors fails where this tool does. Tentative ones are one step milder.
    """
    step = {Severity.CRITICAL: 0, Severity.IMPORTANT: 0, Severity.MINOR: 1, Severity.INFO: 2}[
        finding.severity
    ]
    return levels[min(step + (finding.confidence is Confidence.TENTATIVE), 2)]


def counted(count: int, noun: str) -> str:
    """ "1 finding", "2 findings"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def severities(review: Review) -> str:
    """ "2 critical, 1 minor", or "nothing found"."""
    counts = [
        (sum(each.severity is one for each in review.findings), one.value) for one in reversed(Severity)
    ]
    return ", ".join(f"{count} {name}" for count, name in counts if count) or "nothing found"


def snippet(review: Review, finding: Finding) -> list[tuple[int, str]]:
    """Lines of code around a finding with their numbers; empty where none were kept."""
    place = finding.location
    lines = review.snippets.get(str(place), ())
    first = max(1, place.line - CONTEXT)
    return list(enumerate(lines, start=first))


def printable(text: str) -> str:
    """The text with control signs, bidirectional overrides and lone surrogates made visible.

    Reviewed code is hostile: its names and strings must not steer a terminal or reorder what a reader sees.
    Line breaks, tabs and the joiners of emoji stay.
    """
    return "".join(map(_visible, text))


def _visible(sign: str) -> str:
    if sign in "\n\t" or sign in _JOINERS or unicodedata.category(sign) not in _INVISIBLE:
        return sign
    return sign.encode("unicode_escape").decode("ascii")
