"""Uploads as the API shows them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from ..database import OutputModel

_EXAMPLE: dict[str, Any] = {
    "id": "0192f0c1-2b34-7c56-8d9e-0a1b2c3d4e5f",
    "name": "cat.png",
    "media_type": "image/png",
    "size": 48213,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "created_at": "2026-11-21T20:00:00Z",
}


class UploadOut(OutputModel):
    """An upload, without its bytes."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: UUID
    name: str
    media_type: str
    size: Annotated[int, Field(ge=0, description="In bytes.")]
    sha256: Annotated[str, Field(description="Of the bytes, in hexadecimal digits.")]
    created_at: datetime
