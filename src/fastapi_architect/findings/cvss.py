"""CVSS 3.1 base scores, computed from a rule's vector and the facts of a finding; never typed by hand.

Formula, constants and `Roundup` are those of FIRST's specification, sections 7.1 to 7.4 and appendix A
(https://www.first.org/cvss/v3.1/specification-document). Same input, same vector, same score.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from fastapi_architect.findings.finding import Context
from fastapi_architect.findings.severity import Severity

_PREFIX = "CVSS:3.1"

_VALUES = {
    "AV": "NALP",
    "AC": "LH",
    "PR": "NLH",
    "UI": "NR",
    "S": "UC",
    "C": "HLN",
    "I": "HLN",
    "A": "HLN",
}

_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
}
_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}
_IMPACT = {"H": 0.56, "L": 0.22, "N": 0.0}


class CvssError(ValueError):
    """The text is not a CVSS 3.1 base vector; the message says which part is wrong."""


class Vector(msgspec.Struct, frozen=True):
    """The eight base metrics, each by its one-letter value."""

    AV: str
    AC: str
    PR: str
    UI: str
    S: str
    C: str
    I: str  # noqa: E741 - the standard's name
    A: str

    def __str__(self) -> str:
        return "/".join([_PREFIX, *(f"{name}:{getattr(self, name)}" for name in self.__struct_fields__)])


class Adjusted(NamedTuple):
    """The outcome of `adjust`: vector and score (both None where nothing is scored), one note per change."""

    vector: str | None
    score: float | None
    notes: tuple[str, ...]


def parse(text: str) -> Vector:
    """Read a base vector such as "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"; metrics in any order.

    Raises:
        CvssError: for another version, an unknown, doubled or missing metric, or an unknown value.
    """
    version, *parts = text.strip().split("/")
    if version != _PREFIX:
        raise CvssError(f"{text!r} has to start with {_PREFIX}/")
    metrics: dict[str, str] = {}
    for part in parts:
        name, colon, value = part.partition(":")
        if not colon or name not in _VALUES:
            known = ", ".join(_VALUES)
            raise CvssError(f"{part!r} in {text!r} is not a base metric; the base metrics are {known}")
        if len(value) != 1 or value not in _VALUES[name]:
            raise CvssError(f"{part!r} in {text!r}: {name} is one of {', '.join(_VALUES[name])}")
        if name in metrics:
            raise CvssError(f"{text!r} names {name} twice")
        metrics[name] = value
    missing = [name for name in _VALUES if name not in metrics]
    if missing:
        raise CvssError(f"{text!r} lacks {', '.join(missing)}")
    return Vector(**metrics)


def base_score(vector: Vector) -> float:
    """The base score, 0.0 to 10.0 in steps of 0.1."""
    lost = 1 - (1 - _IMPACT[vector.C]) * (1 - _IMPACT[vector.I]) * (1 - _IMPACT[vector.A])
    changed = vector.S == "C"
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if changed else 6.42 * lost
    if impact <= 0:
        return 0.0
    exploitability = (
        8.22
        * _WEIGHTS["AV"][vector.AV]
        * _WEIGHTS["AC"][vector.AC]
        * _PRIVILEGES[vector.S][vector.PR]
        * _WEIGHTS["UI"][vector.UI]
    )
    total = impact + exploitability
    return _round_up(min(1.08 * total if changed else total, 10))


def score(text: str) -> float:
    """The base score of a vector in text form.

    Raises:
        CvssError: when the text is not a base vector.
    """
    return base_score(parse(text))


@lru_cache(maxsize=1024)
def adjust(vector: str, context: Context) -> Adjusted:
    """Overwrite metrics of a rule's vector by the facts of a finding, in the order AV, PR, AC, C, I, A.

    UI and S are fixed by the rule. A fact that is not known changes nothing, so `Context()` is the identity.
    The network position only ever lowers a score; a loss that the rule's vector rules out (C:N or I:N) stays
    ruled out whatever data is at stake, because that flaw cannot reach it.

    Args:
        vector: the rule's vector, for the unknown, weakest context.
        context: what is known about the place.

    Raises:
        CvssError: when the rule's vector is not a base vector.
    """
    start = parse(vector)
    if context.reached is False:
        return Adjusted(None, None, ("unreached: no entry point leads here, so it is not scored",))
    now, notes = start, []
    for metric, value, because in _facts(start, context):
        before = getattr(now, metric)
        if before != value:
            now = replace(now, **{metric: value})
            notes.append(f"{metric}:{before} -> {metric}:{value}, {because}")
    return Adjusted(str(now), base_score(now), tuple(notes))


def severity_for(cap: Severity, score: float | None, context: Context) -> Severity:
    """The severity of a finding: its rule's cap or the score's band, whichever is lower.

    One step down where no entry point leads to the place or where it is test code.

    Args:
        cap: the rule's severity.
        score: base score 0.0 to 10.0, None for a rule without a vector or a place that is not reached.
        context: what is known about the place.
    """
    rank = cap.rank if score is None else min(cap.rank, _band(score).rank)
    if context.reached is False or context.test_code:
        rank -= 1
    return list(Severity)[max(rank, 0)]


def _facts(rule: Vector, context: Context) -> list[tuple[str, str, str]]:
    """Metric, value and reason for each metric that a known fact determines."""
    facts = []
    position = {"adjacent": "A", "local": "L"}.get(context.network, "N")
    if _VALUES["AV"].index(position) > _VALUES["AV"].index(rule.AV):
        reason = {"A": "exposed to an internal network only", "L": "reachable from the command line only"}
        facts.append(("AV", position, reason[position]))
    facts += _privileges(rule, context)
    if context.hard:
        facts.append(("AC", "H", "needs a race, a guess, a position or a bypass"))
    facts += _losses(rule, context)
    if context.stops_process is not None:
        if context.stops_process:
            facts.append(("A", "H", "one request can stop a process"))
        elif rule.A == "H":
            facts.append(("A", "L", "only sustained traffic degrades the service"))
    return facts


def _privileges(rule: Vector, context: Context) -> list[tuple[str, str, str]]:
    access = context.access
    if access in ("none", "optional"):
        return [("PR", "N", "reachable without signing in")]
    if access in ("user", "scoped"):
        return [("PR", "L", "needs an ordinary account")]
    if access in ("admin", "internal"):
        return [("PR", "H", "needs a privileged account or an internal key")]
    if context.missing_check and rule.PR == "N":
        return [("PR", "L", "the missing check stands behind a sign-in")]
    return []


def _losses(rule: Vector, context: Context) -> list[tuple[str, str, str]]:
    facts = []
    if rule.C != "N":
        if context.reads is False:
            facts.append(("C", "N", "nothing is read"))
        elif context.data is not None:
            value = {"secret": "H", "personal": "H", "internal": "L"}.get(context.data, "N")
            facts.append(("C", value, f"{context.data} data is at stake"))
    if rule.I != "N":
        if context.writes is False:
            facts.append(("I", "N", "nothing is written"))
        elif context.writes and context.data is not None:
            value = "H" if context.data in ("secret", "personal") else "L"
            facts.append(("I", value, f"{context.data} data is written"))
    return facts


def _band(score: float) -> Severity:
    if score >= 7.0:
        return Severity.CRITICAL
    if score >= 4.0:
        return Severity.IMPORTANT
    return Severity.MINOR if score > 0 else Severity.INFO


def _round_up(value: float) -> float:
    """FIRST's Roundup (appendix A): to the next tenth, in integers so that 4.02 as 4.0199999 stays exact."""
    scaled = round(value * 100_000)
    if scaled % 10_000 == 0:
        return scaled / 100_000
    return (scaled // 10_000 + 1) / 10.0
