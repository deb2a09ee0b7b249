"""How reports look from outside."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from fastapi_architect.components.database import InputModel, OutputModel, PageQuery

from .models import ReportFormat, ReportState


class NewReport(InputModel):
    """Which report shall be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"format": "html"}]})

    format: ReportFormat


class ReportOrder(StrEnum):
    """Orders of the list."""

    NEWEST = "newest"
    OLDEST = "oldest"


class ReportQuery(PageQuery):
    """Which reports, in which order."""

    sort: ReportOrder = ReportOrder.NEWEST
    format: ReportFormat | None = None


class PublishedReport(OutputModel):
    """A report as members see it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "018f0000-0000-7000-8000-000000000005",
                    "scan_id": "018f0000-0000-7000-8000-000000000002",
                    "format": "html",
                    "state": "ready",
                    "requested_by": "018f0000-0000-7000-8000-000000000004",
                    "size": 184320,
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "created_at": "2026-11-22T04:00:05Z",
                    "finished_at": "2026-11-22T04:00:06Z",
                    "expires_at": "2026-11-29T04:00:06Z",
                    "error_code": None,
                    "error": None,
                }
            ]
        }
    )

    id: UUID
    scan_id: UUID
    format: ReportFormat
    #: While it is queued, ask again; when it is ready, its content can be downloaded until `expires_at`.
    state: ReportState
    requested_by: UUID
    size: Annotated[int | None, Field(ge=0)]
    sha256: str | None
    created_at: AwareDatetime
    finished_at: AwareDatetime | None
    expires_at: AwareDatetime | None
    error_code: str | None
    error: str | None
