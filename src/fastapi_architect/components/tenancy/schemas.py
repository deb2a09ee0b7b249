"""Organisations, members and invitations as JSON."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from ..database import InputModel, OutputModel

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Role = Annotated[str, Field(min_length=1, max_length=50, pattern="^[a-z][a-z0-9_]*$")]
ID = "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f11"


_MEMBER: JsonDict = {
    "id": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f12",
    "account_id": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f13",
    "role": "viewer",
    "created_at": "2026-11-21T20:00:00Z",
}
_INVITATION: JsonDict = {
    "id": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f14",
    "role": "viewer",
    "invited_by": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f13",
    "expires_at": "2026-11-28T20:00:00Z",
}


class NewOrganisation(InputModel):
    """An organisation to found, or a new name for one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Bakery Miller"}]})

    name: Name


class PublishedOrganisation(OutputModel):
    """An organisation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": ID, "name": "Bakery Miller", "created_at": "2026-11-21T20:00:00Z"}]
        }
    )

    id: UUID
    name: str
    created_at: datetime


class OwnOrganisation(PublishedOrganisation):
    """One of the caller's organisations."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"id": ID, "name": "Bakery Miller", "created_at": "2026-11-21T20:00:00Z", "role": "owner"}
            ]
        }
    )

    role: str


class OwnOrganisations(OutputModel):
    """All organisations of the caller, oldest first; nobody belongs to more than a hundred."""

    items: Annotated[list[OwnOrganisation], Field(max_length=100)]


class PublishedMember(OutputModel):
    """Somebody who belongs to an organisation."""

    model_config = ConfigDict(json_schema_extra={"examples": [_MEMBER]})

    id: UUID
    account_id: UUID
    role: str
    created_at: datetime


class ListedMember(PublishedMember):
    """Somebody who belongs to an organisation, and who they are, where the service knows it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_MEMBER | {"email": "ada@example.com", "display_name": "Ada"}]}
    )

    #: None: no account of this service is behind the identifier.
    email: str | None = None
    display_name: str | None = None


class MemberPage(OutputModel):
    """Members, oldest first; without `next_after` it is the last page."""

    items: Annotated[list[ListedMember], Field(max_length=100)]
    next_after: UUID | None = None


class NewRole(InputModel):
    """A role for a member."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "viewer"}]})

    role: Role


class PublishedRole(OutputModel):
    """What a member can be."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "viewer", "permissions": ["organisation:read"]}]}
    )

    name: str
    permissions: list[str]


class PublishedInvitation(OutputModel):
    """An invitation that nobody has accepted yet."""

    model_config = ConfigDict(json_schema_extra={"examples": [_INVITATION]})

    id: UUID
    role: str
    invited_by: UUID
    expires_at: datetime


class CreatedInvitation(PublishedInvitation):
    """A new invitation; its token is shown once. Hand it to whom you invite."""

    model_config = ConfigDict(json_schema_extra={"examples": [_INVITATION | {"token": "…" * 43}]})

    token: str


class Invitations(OutputModel):
    """Open invitations, newest first."""

    items: Annotated[list[PublishedInvitation], Field(max_length=100)]


class Acceptance(InputModel):
    """The token of an invitation."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": "x" * 43}]})

    token: Annotated[str, Field(min_length=43, max_length=43, pattern="^[A-Za-z0-9_-]+$")]


class Accepted(OutputModel):
    """What the caller belongs to now, and as what."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"organisation_id": ID, "role": "viewer"}]})

    organisation_id: UUID
    role: str
