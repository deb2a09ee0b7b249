"""How a verdict looks from outside."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from fastapi_architect.components.database import InputModel, OutputModel

from ..projects.models import GateSeverity
from ..projects.schemas import BranchName


class GateQuery(InputModel):
    """Which branch is asked about."""

    branch: Annotated[BranchName | None, Field(description="None: the project's default branch.")] = None
    limit: Annotated[int, Field(ge=1, le=100, description="How many findings are named at most.")] = 20


class ClosingFinding(OutputModel):
    """A finding that closes the gate."""

    id: UUID
    rule: str
    title: str
    severity: str
    confidence: str
    cwe: str | None
    cvss_score: float | None
    file: str
    line: int
    is_proposed_ignored: bool


class GateVerdict(OutputModel):
    """Whether the gate of a branch is open: all that a CI job needs, in one answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "passed": False,
                    "branch": "feature/search",
                    "compared_with": "main",
                    "severity": "important",
                    "counts": {"critical": 1},
                    "scan_id": "018f0000-0000-7000-8000-000000000002",
                    "scanned_at": "2026-11-22T04:00:03Z",
                    "score": 88,
                    "findings": [
                        {
                            "id": "018f0000-0000-7000-8000-000000000005",
                            "rule": "sql-injection-raw-statement",
                            "title": "Request data is written into an SQL statement",
                            "severity": "critical",
                            "confidence": "certain",
                            "cwe": "CWE-89",
                            "cvss_score": 9.8,
                            "file": "app/repositories/books.py",
                            "line": 40,
                            "is_proposed_ignored": False,
                        }
                    ],
                }
            ]
        }
    )

    passed: bool
    branch: str
    #: The branch whose findings are not counted; None: all of them are.
    compared_with: str | None
    #: The scan of that branch that counts; None: the branch as it is now.
    compared_with_scan: UUID | None
    #: The lowest severity that counts.
    severity: GateSeverity
    #: Findings that close the gate, by severity.
    counts: dict[str, int]
    #: The newest scan of the branch that is done.
    scan_id: UUID
    scanned_at: AwareDatetime
    score: int | None
    #: The gravest ones of those that close the gate.
    findings: list[ClosingFinding]
