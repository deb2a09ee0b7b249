"""How branches look from outside."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from fastapi_architect.components.database import InputModel, OutputModel, PageQuery

from ..projects.schemas import BranchName


class BranchOrder(StrEnum):
    """Orders of the list."""

    NAME = "name"
    NEWEST = "newest"


class BranchQuery(PageQuery):
    """Which branches, in which order."""

    sort: BranchOrder = BranchOrder.NAME
    archived: Annotated[bool, Field(description="Those that were put away, in place of the others.")] = False
    name: Annotated[
        str | None,
        Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$", description="A part of the name."),
    ] = None


class BranchChange(InputModel):
    """What of a branch is to change; an absent field stays as it is, null takes a baseline back."""

    model_config = ConfigDict(
        json_schema_extra={
            "minProperties": 1,
            "examples": [
                {"baseline": "release/2.x"},
                {"baseline_scan_id": "018f0000-0000-7000-8000-000000000001"},
                {"archived": True},
            ],
        }
    )

    baseline: Annotated[
        BranchName | None,
        Field(
            description="The branch against which new findings are counted; null: the project's default branch."
        ),
    ] = None
    baseline_scan_id: Annotated[
        UUID | None,
        Field(
            description="One scan against which they are counted, such as that of the merge base; null: none."
        ),
    ] = None
    archived: Annotated[bool | None, Field(description="Whether it is put away.")] = None

    @model_validator(mode="after")
    def says_one_thing(self) -> Self:
        """Refuse a change of nothing, and two baselines at once."""
        if not self.model_fields_set:
            raise ValueError("name at least one field")
        if self.baseline is not None and self.baseline_scan_id is not None:
            raise ValueError("a scan says its branch itself: send baseline or baseline_scan_id")
        return self


class PublishedBranch(OutputModel):
    """A branch as members see it: as its newest scan left it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "018f0000-0000-7000-8000-000000000006",
                    "project_id": "018f0000-0000-7000-8000-000000000003",
                    "name": "feature/search",
                    "is_default": False,
                    "baseline": "main",
                    "baseline_scan_id": "018f0000-0000-7000-8000-000000000001",
                    "scan_id": "018f0000-0000-7000-8000-000000000002",
                    "scanned_at": "2026-11-22T04:00:03Z",
                    "score": 88,
                    "counts": {"critical": 1},
                    "gate_passed": False,
                    "created_at": "2026-11-20T09:00:00Z",
                    "version": 3,
                }
            ]
        }
    )

    id: UUID
    project_id: UUID
    name: str
    is_default: bool
    #: The branch against which new findings are counted, where somebody chose one.
    baseline: str | None
    baseline_scan_id: UUID | None
    scan_id: UUID | None
    scanned_at: AwareDatetime | None
    score: int | None
    #: Open findings by severity.
    counts: dict[str, int] | None
    gate_passed: bool | None
    archived_at: AwareDatetime | None
    created_at: AwareDatetime
    #: Counted up by each change, scans included; the ETag repeats it.
    version: Annotated[int, Field(ge=1)]
