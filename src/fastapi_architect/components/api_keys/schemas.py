"""How keys look from outside."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.config import JsonDict

from ..database import InputModel, OutputModel

#: Letters that people type; control characters such as NUL are none.
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Scope = Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9_.:-]+$")]

_KEY: JsonDict = {
    "id": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f11",
    "name": "nightly export",
    "hint": "app_4Kq7",
    "scopes": ["items:read"],
    "for_service": False,
    "owner_id": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f12",
    "created_at": "2026-11-21T20:00:00Z",
    "expires_at": "2027-02-19T20:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
}


class ApiKeyCreation(InputModel):
    """A key to create."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={"examples": [{"name": "nightly export", "scopes": ["items:read"], "days": 90}]},
    )

    name: Name
    #: What it may do; never more than its creator.
    scopes: Annotated[list[Scope], Field(max_length=100)]
    #: How long it is good for; the service has a default and a maximum.
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    #: For a program that acts for nobody.
    for_service: bool = False


class ApiKeyRecord(OutputModel):
    """A key, without its text."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KEY]})

    id: UUID
    name: str
    hint: str
    scopes: list[str]
    for_service: bool
    #: For whom it acts; null for a service.
    owner_id: UUID | None
    created_at: AwareDatetime
    expires_at: AwareDatetime
    last_used_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class CreatedApiKey(ApiKeyRecord):
    """A key that was just created, with its text: the only time that it is shown."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_KEY | {"key": "app_4Kq7" + "…" * 8}]},
    )

    key: str
