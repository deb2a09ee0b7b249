"""How scans look from outside."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from fastapi_architect.components.database import InputModel, OutputModel, PageQuery

from ..projects.schemas import BranchName
from .models import ScanKind, ScanPriority, ScanState

CommitId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,64}$")]

_NAME = r"(?:\.?[^./\\\x00][^/\\\x00]*|\.\.[^/\\\x00]+)"
#: Names of folders with slashes between them, none of which leads upwards.
Folder = Annotated[str, StringConstraints(max_length=500, pattern=rf"^{_NAME}(?:/{_NAME})*$")]


class NewScan(InputModel):
    """What shall be scanned: a file that was uploaded before with `PUT /uploads/{upload_id}`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "upload_id": "018f0000-0000-7000-8000-000000000001",
                    "branch": "feature/search",
                    "commit": "2f5a5ac0b1e94d0f8d1d2c2f0a4c7d8e9f001122",
                },
                {
                    "upload_id": "018f0000-0000-7000-8000-000000000001",
                    "kind": "sarif",
                    "branch": "feature/search",
                    "commit": "2f5a5ac0b1e94d0f8d1d2c2f0a4c7d8e9f001122",
                    "checkout_uri": "file:///builds/work/bookshop/bookshop",
                },
            ]
        }
    )

    upload_id: UUID
    branch: Annotated[BranchName | None, Field(description="None: the project's default branch.")] = None
    commit: CommitId | None = None
    priority: ScanPriority = ScanPriority.NORMAL
    kind: Annotated[
        ScanKind,
        Field(
            description="`archive`: source code that is reviewed. `sarif`: what other tools found. `report`: what "
            "`architect review --format json` wrote. The last two may be compressed with gzip."
        ),
    ] = ScanKind.ARCHIVE
    root: Annotated[
        Folder | None,
        Field(
            description="Of results: the folder of the repository in which their paths begin. None: its top."
        ),
    ] = None
    checkout_uri: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=2_000,
            pattern=r"^[^\x00]*$",
            description="Of SARIF with absolute paths: where the repository was on the machine on which the tool ran.",
        ),
    ] = None

    @model_validator(mode="after")
    def says_where_of_results_alone(self) -> Self:
        """Refuse words about paths that nobody would look at."""
        if self.kind is ScanKind.ARCHIVE and self.root is not None:
            raise ValueError("root belongs to sarif and report: an archive has its folders in itself")
        if self.kind is not ScanKind.SARIF and self.checkout_uri is not None:
            raise ValueError("checkout_uri belongs to sarif, and to nothing else")
        return self


class ScanOrder(StrEnum):
    """Orders of the list."""

    NEWEST = "newest"
    OLDEST = "oldest"


class ScanQuery(PageQuery):
    """Which scans, in which order."""

    sort: ScanOrder = ScanOrder.NEWEST
    state: ScanState | None = None
    branch: BranchName | None = None


class ScanVerdict(OutputModel):
    """The verdict of the gate when a scan ended; `GET /projects/{project_id}/gate` has the present one."""

    passed: bool
    #: Findings that close the gate, by severity.
    counts: dict[str, int]
    #: The lowest severity that counts.
    severity: str
    #: The branch whose findings are not counted; None: all of them are.
    compared_with: str | None


class ScanNotes(OutputModel):
    """What a scan has changed in its branch, and what its result does not speak of."""

    new: int = 0
    reopened: int = 0
    fixed: int = 0
    #: A newer scan of the branch ended before: this one changed nothing.
    is_outdated: bool = False
    #: Application roots without a result, "" for the top of the archive, each with the reason.
    not_reviewed: Annotated[dict[str, str | None], Field(default_factory=dict)]
    #: Files that could not be analysed.
    not_analysed: int = 0
    #: Findings that the archive asks to ignore; whether they count is the project's decision.
    proposed_ignored: int = 0


class PublishedScan(OutputModel):
    """A scan as members see it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "018f0000-0000-7000-8000-000000000002",
                    "project_id": "018f0000-0000-7000-8000-000000000001",
                    "task_id": "018f0000-0000-7000-8000-000000000003",
                    "kind": "archive",
                    "state": "done",
                    "priority": "normal",
                    "branch": "feature/search",
                    "commit": "2f5a5ac0b1e94d0f8d1d2c2f0a4c7d8e9f001122",
                    "requested_by": "018f0000-0000-7000-8000-000000000004",
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "size": 59802,
                    "attempts": 1,
                    "roots": 1,
                    "roots_done": 1,
                    "cancel_requested_at": None,
                    "created_at": "2026-11-22T04:00:00Z",
                    "started_at": "2026-11-22T04:00:01Z",
                    "finished_at": "2026-11-22T04:00:03Z",
                    "error_code": None,
                    "error": None,
                    "score": 61,
                    "counts": {"critical": 1, "minor": 4},
                    "gate": {
                        "passed": False,
                        "counts": {"critical": 1},
                        "severity": "important",
                        "compared_with": "main",
                    },
                    "notes": {
                        "new": 1,
                        "reopened": 0,
                        "fixed": 2,
                        "is_outdated": False,
                        "not_reviewed": {"services/legacy": "The analysis took longer than 900 seconds."},
                        "not_analysed": 0,
                        "proposed_ignored": 1,
                    },
                    "engine": "fastapi-architect/0.1.0",
                    "sources": ["engine"],
                    "version": 3,
                }
            ]
        }
    )

    id: UUID
    project_id: UUID
    #: Also the identifier of the Celery task.
    task_id: UUID
    kind: ScanKind
    state: ScanState
    priority: ScanPriority
    branch: str
    commit: str | None
    requested_by: UUID
    sha256: str
    size: int
    attempts: int
    roots: int
    roots_done: int
    cancel_requested_at: AwareDatetime | None
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    error_code: str | None
    error: str | None
    score: int | None
    counts: dict[str, int] | None
    gate: ScanVerdict | None
    #: None: it has not ended with a result.
    notes: ScanNotes | None = None
    engine: str | None
    #: Who says what was found, once it is done: `engine`, or tools whose results were imported.
    sources: list[str] | None
    version: Annotated[int, Field(ge=1)]


class ScanProgress(OutputModel):
    """Something that happened to a scan."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 17,
                    "at": "2026-11-22T04:00:02Z",
                    "kind": "root",
                    "details": {"root": "", "stage": "reading", "done": 40, "of": 80},
                }
            ]
        }
    )

    #: The cursor after which a listener goes on.
    id: int
    at: AwareDatetime
    kind: Literal["started", "unpacked", "root", "root-done", "imported", "retrying", "finished"]
    details: dict[str, Any]
