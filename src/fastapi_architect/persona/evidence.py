"""What the tools said in one conversation: all that an answer may claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from fastapi_architect.rules.catalog import all_rules

SECURITY = "security"
#: Severities that stand before everything else.
_GRAVE = ("critical", "important")
_SURE = ("certain", "firm")


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as a tool reported it.

    Attributes:
        places: (path, first line, last line) of the finding and of the steps that lead to it; its own place is the first.
        cwe: such as "CWE-89", "" where it is no weakness.
    """

    rule: str
    category: str
    severity: str
    confidence: str
    places: tuple[tuple[str, int, int], ...]
    cwe: str = ""
    cvss_score: float | None = None
    cvss_vector: str = ""

    @property
    def is_security(self) -> bool:
        """Whether it is about security."""
        return self.category == SECURITY

    @property
    def stands_first(self) -> bool:
        """A grave finding of security that is sure."""
        return self.is_security and self.severity in _GRAVE and self.confidence in _SURE

    def at(self, path: str, line: int, end: int = 0) -> bool:
        """Whether it, or a step that leads to it, stands in these lines."""
        last = max(line, end)
        return any(file == path and first <= last and line <= to for file, first, to in self.places)


class Weakness(msgspec.Struct, frozen=True):
    """What a rule is about, as a tool explained it."""

    rule: str
    cwe: str
    cvss_score: float | None = None
    cvss_vector: str = ""
    category: str = SECURITY


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the tools of a conversation said.

    Attributes:
        root: the project, absolute, without symbolic links; None: there is none yet.
        findings: what was reported, each once.
        weaknesses: rules that a tool explained or named.
        planned: paths of files that a plan would make or edit.
        open_paths: of routes of which a tool said that they ask nobody to sign in.
        reviewed: a review was run, so that nothing found means something.
        wordy: more than the usual number of words was asked for.
        request: what was asked: an answer may quote it, whatever it claims.
    """

    root: Path | None = None
    findings: tuple[Reported, ...] = ()
    weaknesses: tuple[Weakness, ...] = ()
    planned: frozenset[str] = frozenset()
    open_paths: frozenset[str] = frozenset()
    reviewed: bool = False
    wordy: bool = False
    request: str = ""

    def and_(self, other: Evidence) -> Evidence:
        """Both together; the root stays."""
        return msgspec.structs.replace(
            self,
            findings=tuple(dict.fromkeys((*self.findings, *other.findings))),
            weaknesses=tuple(dict.fromkeys((*self.weaknesses, *other.weaknesses))),
            planned=self.planned | other.planned,
            open_paths=self.open_paths | other.open_paths,
            reviewed=self.reviewed or other.reviewed,
            wordy=self.wordy or other.wordy,
            request=self.request or other.request,
        )


def reported(document: Mapping[str, Any]) -> Reported:
    """A finding of the JSON report."""
    line = int(document["line"])
    own = (str(document["file"]), line, int(document.get("end_line") or line))
    steps = ((str(s["file"]), int(s["line"]), int(s["line"])) for s in document.get("trace") or ())
    info = all_rules()[document["rule"]].info
    return Reported(
        rule=info.name,
        category=info.category.value,  # short answers leave it out
        severity=document["severity"],
        confidence=document["confidence"],
        places=tuple(dict.fromkeys((own, *steps))),
        cwe=document.get("cwe") or "",
        cvss_score=document.get("cvss_score"),
        cvss_vector=document.get("cvss_vector") or "",
    )


def of_operations(operations: Iterable[Mapping[str, Any]]) -> Evidence:
    """The evidence of the map: rows of the authorisation matrix."""
    return Evidence(
        open_paths=frozenset(o["path"] for o in operations if o["access"] in ("none", "optional"))
    )


def of_findings(root: Path, documents: Iterable[Mapping[str, Any]]) -> Evidence:
    """The evidence of a review: findings as the JSON report has them."""
    return Evidence(root=root, findings=tuple(dict.fromkeys(map(reported, documents))), reviewed=True)
