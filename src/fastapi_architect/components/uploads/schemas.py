"""Uploads as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from .models import Upload

_EXAMPLE: dict[str, Any] = {
    "id": "0192f0c1-2b34-7c56-8d9e-0a1b2c3d4e5f",
    "name": "cat.png",
    "media_type": "image/png",
    "size": 48213,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "created_at": "2026-11-21T20:00:00Z",
}


class UploadOut(BaseModel):
    """An upload, without its bytes."""

    model_config = ConfigDict(
        extra="forbid", from_attributes=True, json_schema_extra={"examples": [_EXAMPLE]}
    )

    id: UUID
    name: str
    media_type: str
    size: Annotated[int, Field(ge=0, description="In bytes.")]
    sha256: Annotated[str, Field(description="Of the bytes, in hexadecimal digits.")]
    created_at: datetime


class UploadPage(BaseModel):
    """Some uploads, the newest first."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"items": [_EXAMPLE], "before": None}]}
    )

    items: list[UploadOut]
    before: Annotated[UUID | None, Field(description="Ask for the next page with it; null on the last one.")]

    @classmethod
    def of(cls, uploads: Sequence[Upload], limit: int) -> Self:
        """Return the page of up to `limit` uploads, of which one more was read to know whether there are more."""
        items = [UploadOut.model_validate(upload) for upload in uploads[:limit]]
        return cls(items=items, before=items[-1].id if len(uploads) > limit else None)
