"""How projects look from outside."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from fastapi_architect.components.database import InputModel, OutputModel, PageQuery

from .models import GateSeverity


def _on_one_line(text: str) -> str:
    """Return the text with single spaces."""
    return " ".join(text.split())


# Patterns and not validators say what is refused, because a pattern stands in the API's contract.
ProjectName = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    ),
    AfterValidator(_on_one_line),
]
#: The names that git allows, of characters that every client can show (git-check-ref-format).
BranchName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./+#@-]*$")
]
Days = Annotated[int, Field(ge=1, le=3650)]
#: A week at most: archives are other people's code.
ArchiveHours = Annotated[int, Field(ge=0, le=168)]


class NewProject(InputModel):
    """A project to begin."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Bookshop", "default_branch": "main"}]}
    )

    name: ProjectName
    default_branch: BranchName = "main"
    gate_severity: GateSeverity = GateSeverity.IMPORTANT
    gate_new_only: bool = True
    accepts_archive_suppressions: bool = False
    keep_scans_days: Days = 365
    keep_failed_archives_hours: Annotated[
        ArchiveHours,
        Field(description="Archives of scans that failed or died stay so long, to be tried again."),
    ] = 0


class ProjectChange(InputModel):
    """The fields of a project to change; an absent one stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "examples": [{"gate_severity": "minor"}]}
    )

    # Factories, because a default would stand in the contract as if it were what an absent field is set to.
    name: Annotated[ProjectName, Field(default_factory=str)]
    default_branch: Annotated[BranchName, Field(default_factory=str)]
    gate_severity: Annotated[GateSeverity, Field(default_factory=lambda: GateSeverity.NONE)]
    gate_new_only: Annotated[bool, Field(default_factory=bool)]
    accepts_archive_suppressions: Annotated[bool, Field(default_factory=bool)]
    keep_scans_days: Annotated[Days, Field(default_factory=lambda: 1)]
    keep_failed_archives_hours: Annotated[ArchiveHours, Field(default_factory=int)]

    @model_validator(mode="after")
    def says_something(self) -> Self:
        """Refuse a change of nothing."""
        if not self.model_fields_set:
            raise ValueError("name at least one field")
        return self


class ProjectOrder(StrEnum):
    """Orders of the list."""

    NEWEST = "newest"
    NAME = "name"


class ProjectQuery(PageQuery):
    """Which projects, in which order."""

    sort: ProjectOrder = ProjectOrder.NEWEST
    name: Annotated[
        str | None,
        Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$", description="A part of the name."),
    ] = None


class PublishedProject(OutputModel):
    """A project as members see it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "018f0000-0000-7000-8000-000000000001",
                    "name": "Bookshop",
                    "default_branch": "main",
                    "gate_severity": "important",
                    "gate_new_only": True,
                    "accepts_archive_suppressions": False,
                    "keep_scans_days": 365,
                    "keep_reports_days": 30,
                    "keep_failed_archives_hours": 24,
                    "created_at": "2026-11-22T04:00:00Z",
                    "updated_at": "2026-11-22T04:00:00Z",
                    "version": 1,
                }
            ]
        }
    )

    id: UUID
    name: str
    default_branch: str
    gate_severity: GateSeverity
    gate_new_only: bool
    accepts_archive_suppressions: bool
    keep_scans_days: int
    keep_failed_archives_hours: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    #: Counted up by each change; the ETag repeats it.
    version: Annotated[int, Field(ge=1)]
