"""How findings look from outside."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from fastapi_architect.components.database import InputModel, OutputModel, PageQuery
from fastapi_architect.findings.severity import Confidence, Severity

from ..projects.schemas import BranchName
from .models import Presence, Triage

#: What is accepted is looked at again, at the latest after so long.
LONGEST_ACCEPTANCE = timedelta(days=366)

Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4_000, pattern=r"^[^\x00]*\S[^\x00]*$", strip_whitespace=True),
]
Part = Annotated[str | None, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class FindingOrder(StrEnum):
    """Orders of the list."""

    SEVERITY = "severity"
    NEWEST = "newest"
    OLDEST = "oldest"


class Wanted(StrEnum):
    """Which findings of a branch: those that are in it, those that were, or both."""

    OPEN = "open"
    FIXED = "fixed"
    ALL = "all"


class FindingQuery(PageQuery):
    """Which findings, in which order."""

    sort: FindingOrder = FindingOrder.SEVERITY
    branch: Annotated[BranchName | None, Field(description="None: the project's default branch.")] = None
    presence: Wanted = Wanted.OPEN
    triage: Triage | None = None
    severity: Annotated[Severity | None, Field(description="The lowest one.")] = None
    confidence: Confidence | None = None
    rule: Part = None
    source: Annotated[
        Part,
        Field(description="Who found it: `engine`, or a tool whose results were imported, `sarif:bandit`."),
    ] = None
    cwe: Annotated[str | None, Field(pattern=r"^CWE-\d{1,5}$")] = None
    file: Annotated[Part, Field(description="How the path begins.")] = None
    text: Annotated[Part, Field(description="A part of the title.")] = None
    words: Annotated[
        Part,
        Field(
            description='Whole words of title, rule, CWE and path, in any case: `sql injection`, `"raw statement" -tests`, `jinja OR mako`.'
        ),
    ] = None
    found_after: Annotated[AwareDatetime | None, Field(description="First seen after this moment.")] = None
    found_before: Annotated[AwareDatetime | None, Field(description="First seen before this moment.")] = None


_FINDING: JsonDict = {
    "id": "018f0000-0000-7000-8000-000000000005",
    "project_id": "018f0000-0000-7000-8000-000000000001",
    "source": "engine",
    "rule": "sql-injection-raw-statement",
    "title": "Request data is written into an SQL statement",
    "category": "security",
    "severity": "critical",
    "confidence": "certain",
    "cwe": "CWE-89",
    "cvss_score": 9.8,
    "root": "",
    "branch": "main",
    "file": "app/repositories/books.py",
    "line": 40,
    "presence": "open",
    "triage": "open",
    "reason": None,
    "expires_at": None,
    "is_proposed_ignored": False,
    "first_scan_id": "018f0000-0000-7000-8000-000000000002",
    "last_scan_id": "018f0000-0000-7000-8000-000000000002",
    "created_at": "2026-11-22T04:00:03Z",
    "version": 1,
}


class PublishedFinding(OutputModel):
    """A finding in a branch, as members see it in a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FINDING]})

    id: UUID
    project_id: UUID
    #: Who found it: our engine, or a tool whose results were imported (`sarif:TOOL`, `sarif:TOOL:CATEGORY`).
    source: str
    rule: str
    title: str
    category: str
    severity: Severity
    confidence: Confidence
    cwe: str | None
    cvss_score: float | None
    root: str
    branch: str
    file: str
    line: int
    presence: Presence
    triage: Triage
    reason: str | None
    expires_at: AwareDatetime | None
    #: The archive asked that it be ignored.
    is_proposed_ignored: bool
    first_scan_id: UUID
    last_scan_id: UUID
    created_at: AwareDatetime
    #: Counted up by each change; the ETag repeats it.
    version: Annotated[int, Field(ge=1)]


class WholeFinding(PublishedFinding):
    """A finding with all that the engine says of it, and who decided what."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _FINDING
                | {
                    "approved_by": None,
                    "triaged_by": None,
                    "triaged_at": None,
                    "fingerprint": "1:sql-injection-raw-statement:app.repositories.books:find:1",
                    "document": {
                        "suggestion": "Give the value as a bound parameter.",
                        "routes": ["GET /books"],
                    },
                }
            ]
        }
    )

    approved_by: UUID | None
    triaged_by: UUID | None
    triaged_at: AwareDatetime | None
    fingerprint: str
    #: The engine's report of it: why, the exploit, the path, the fix.
    document: dict[str, Any]


class Decision(InputModel):
    """What somebody decides about a finding."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"triage": "false_positive", "reason": "The value comes from a closed list, see lists.py."},
                {
                    "triage": "accepted",
                    "reason": "Only reachable inside the office network until the rewrite.",
                    "expires_at": "2027-03-01T00:00:00Z",
                },
            ]
        }
    )

    triage: Triage
    reason: Words | None = None
    expires_at: Annotated[AwareDatetime | None, Field(description="Until when it is accepted.")] = None

    @model_validator(mode="after")
    def says_why_and_how_long(self) -> Self:
        """Refuse a decision against a finding without a reason, and an acceptance without an end."""
        against = self.triage in (Triage.FALSE_POSITIVE, Triage.ACCEPTED)
        if against and self.reason is None:
            raise ValueError("say why: a reason is needed")
        if (self.triage is Triage.ACCEPTED) != (self.expires_at is not None):
            raise ValueError("expires_at belongs to what is accepted, and to nothing else")
        return self


class BulkDecision(Decision):
    """The same decision about several findings of a project: about all of them or about none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"finding_ids": ["018f0000-0000-7000-8000-000000000001"], "triage": "confirmed"},
            ]
        }
    )

    finding_ids: Annotated[frozenset[UUID], Field(min_length=1, max_length=100)]
    partial: Annotated[
        bool,
        Field(description="Decide about those that can be decided about, and leave the others as they are."),
    ] = False
    seen: Annotated[
        dict[UUID, Annotated[int, Field(ge=1, le=2**31 - 1)]],
        Field(
            default_factory=dict,
            max_length=100,
            description="With `partial`, the `version` of each finding as it was read.",
        ),
    ]

    @model_validator(mode="after")
    def names_what_was_seen(self) -> Self:
        """Refuse versions that nobody would look at."""
        if self.seen and not self.partial:
            raise ValueError("seen belongs to partial: true")
        if not self.seen.keys() <= self.finding_ids:
            raise ValueError("seen names findings that are not among finding_ids")
        return self


class NewComment(InputModel):
    """Something to say about a finding."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Fixed by the next release."}]})

    text: Words


class EventKind(StrEnum):
    """What can happen to a finding."""

    FOUND = "found"
    FIXED = "fixed"
    REOPENED = "reopened"
    TRIAGED = "triaged"
    COMMENTED = "commented"


class ItemOutcome(StrEnum):
    """What became of one finding of several."""

    DECIDED = "decided"
    #: It has another version than the one that was seen.
    CHANGED_MEANWHILE = "changed_meanwhile"
    NOT_FOUND = "not_found"


class ItemResult(OutputModel):
    """What became of one finding of several, and its version now."""

    finding_id: UUID
    outcome: ItemOutcome
    version: int | None


class Decided(OutputModel):
    """How many findings a decision has changed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"changed": 1}]})

    changed: int
    #: Of each finding, where `partial` was asked for.
    results: tuple[ItemResult, ...] = ()


class HistoryEntry(OutputModel):
    """Something that happened to a finding: by a scan, or by somebody."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 9,
                    "at": "2026-11-22T04:05:00Z",
                    "kind": "triaged",
                    "actor_id": "018f0000-0000-7000-8000-000000000004",
                    "scan_id": None,
                    "details": {"from": "open", "to": "confirmed", "reason": None},
                }
            ]
        }
    )

    id: int
    at: AwareDatetime
    kind: str
    actor_id: UUID | None
    scan_id: UUID | None
    details: dict[str, Any]
