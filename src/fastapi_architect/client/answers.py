"""What the server answers, as far as this client reads it. What a later server adds is left alone."""

from __future__ import annotations

from typing import Any

import msgspec

#: States in which a scan stays.
ENDED = frozenset({"done", "failed", "dead", "cancelled"})


class Project(msgspec.Struct, frozen=True):
    """A project of the caller's organisation."""

    id: str
    name: str
    default_branch: str


class Projects(msgspec.Struct, frozen=True):
    """A page of them."""

    items: list[Project]
    next_cursor: str | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What the gate said when a scan ended."""

    passed: bool
    severity: str
    counts: dict[str, int]
    compared_with: str | None = None


class Notes(msgspec.Struct, frozen=True):
    """What the result of a scan does not speak of."""

    not_reviewed: dict[str, str | None] = msgspec.field(default_factory=dict)
    not_analysed: int = 0
    proposed_ignored: int = 0


class Scan(msgspec.Struct, frozen=True):
    """A scan, and where it stands."""

    id: str
    project_id: str
    state: str
    branch: str
    commit: str | None = None
    error_code: str | None = None
    error: str | None = None
    score: int | None = None
    counts: dict[str, int] | None = None
    gate: Verdict | None = None
    notes: Notes | None = None
    engine: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it stays as it is."""
        return self.state in ENDED


class Event(msgspec.Struct, frozen=True):
    """Something that happened to a scan."""

    id: int
    kind: str
    details: dict[str, Any] = msgspec.field(default_factory=dict)


class ClosingFinding(msgspec.Struct, frozen=True):
    """A finding that closes the gate."""

    id: str
    rule: str
    title: str
    severity: str
    file: str
    line: int
    confidence: str = ""
    cwe: str | None = None
    cvss_score: float | None = None
    is_proposed_ignored: bool = False


class Gate(msgspec.Struct, frozen=True):
    """The verdict on a branch."""

    passed: bool
    branch: str
    severity: str
    counts: dict[str, int]
    scan_id: str
    compared_with: str | None = None
    score: int | None = None
    findings: list[ClosingFinding] = msgspec.field(default_factory=list)
