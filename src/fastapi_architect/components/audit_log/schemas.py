"""The audit log as JSON."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.config import JsonDict

from ..database import OutputModel, Page, PageQuery
from .models import Outcome

Name = Annotated[str, Field(min_length=1, max_length=100, pattern="^[a-z][a-z0-9_.]*$")]


class AuditQuery(PageQuery):
    """Which events, newest first."""

    sort: Literal["newest"] = "newest"
    action: Annotated[Name | None, Field(description="Such as `note.deleted`.")] = None
    actor_id: UUID | None = None
    subject_type: Name | None = None
    subject_id: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    outcome: Outcome | None = None
    since: Annotated[AwareDatetime | None, Field(description="At this moment or later.")] = None
    until: Annotated[AwareDatetime | None, Field(description="At this moment or earlier.")] = None


class OverviewQuery(AuditQuery):
    """Which events of which tenant, newest first."""

    tenant_id: Annotated[UUID | None, Field(description="Of this tenant only.")] = None


_EVENT: JsonDict = {
    "id": "01936f5a-7c00-7000-8000-000000000001",
    "at": "2026-11-21T12:00:00Z",
    "action": "note.deleted",
    "outcome": "done",
    "actor_id": "01936f5a-7c00-7000-8000-000000000002",
    "actor_method": "access_token",
    "subject_type": "note",
    "subject_id": "01936f5a-7c00-7000-8000-000000000003",
    "request_id": "5f0c6a52-3f0f-4a55-9a76-3a2d3f1c9c11",
    "details": {"title": "Shopping"},
}


class PublishedAuditEvent(OutputModel):
    """One event."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EVENT]})

    id: UUID
    at: datetime
    action: str
    outcome: Outcome
    actor_id: UUID | None
    actor_method: str
    subject_type: str
    subject_id: str
    request_id: str
    details: dict[str, Any]


class AuditPage(Page[PublishedAuditEvent]):
    """A page of events, newest first."""


class PublishedTenantEvent(PublishedAuditEvent):
    """One event, and in which tenant it happened."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_EVENT | {"tenant_id": "01936f5a-7c00-7000-8000-000000000004"}]}
    )

    tenant_id: UUID | None


class AuditOverviewPage(Page[PublishedTenantEvent]):
    """A page of events of every tenant, newest first."""
