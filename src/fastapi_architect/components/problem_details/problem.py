"""A problem document and its response."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import ValidationException
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from ..service import current_request_id

MEDIA_TYPE = "application/problem+json"
#: One hostile body may hold thousands of mistakes; an answer names the first few.
MOST_FIELDS = 20
LONGEST_LOCATION = 200
LONGEST_REASON = 300


class InvalidField(BaseModel):
    """One field that was refused. The value is not repeated: it may be a password."""

    location: str = Field(examples=["body.email"])
    reason: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """Problem details of RFC 9457. A kind of problem may have further members."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "There is no such book.",
                    "request_id": "0d3c5f6e-0b1d-4b62-9d7a-4a4f4c6f8f5e",
                }
            ]
        },
    )

    #: A URI that names the kind; `about:blank` says that the status tells everything.
    type: str = "about:blank"
    title: str
    status: int = Field(ge=100, le=599)
    detail: str
    #: A URI reference of this very occurrence, where it has one.
    instance: str | None = None
    #: What a caller quotes when asking for help; the log has the rest under it.
    request_id: str
    invalid_fields: list[InvalidField] | None = None


class ProblemResponse(Response):
    """A problem as an HTTP response.

    Args:
        status: the status code, repeated in the body.
        detail: a sentence for the caller.
        headers: such as Retry-After or WWW-Authenticate.
        invalid_fields: for a request that did not validate.
        type: a URI that names the kind of problem, `about:blank` where the status tells everything.
        title: a short name of the kind; the phrase of the status if it is left out.
        extensions: further members of the document, in plain JSON.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        invalid_fields: list[InvalidField] | None = None,
        type: str = "about:blank",  # noqa: A002 - the member's name in RFC 9457
        title: str | None = None,
        extensions: Mapping[str, JsonValue] | None = None,
    ) -> None:
        members: dict[str, Any] = dict(extensions or {}) | {
            "type": type,
            "title": title or phrase(status),
            "status": int(status),
            "detail": detail,
            "request_id": current_request_id(),
        }
        if invalid_fields is not None:
            members["invalid_fields"] = [field.model_dump() for field in invalid_fields]
        super().__init__(_encode(members), status_code=int(status), headers=headers)
        self.headers.setdefault("Cache-Control", "no-store")


def phrase(status: int) -> str:
    """Return the name of a status, also of one that no standard knows."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _encode(members: dict[str, Any]) -> bytes:
    # Lone surrogates come into a program through JSON escapes, and UTF-8 cannot carry them out again.
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    return text.encode("utf-8", "replace")


def describe(error: ValidationException) -> list[InvalidField]:
    """Return where and why each field was refused, without its value."""
    return [
        InvalidField(location=_location(found["loc"]), reason=_reason(found))
        for found in error.errors()[:MOST_FIELDS]
    ]


def _location(parts: tuple[str | int, ...]) -> str:
    """Return the place; of a field that nobody declared, the name is the caller's, and may be very long."""
    return ".".join(str(part) for part in parts)[:LONGEST_LOCATION]


def _reason(error: Mapping[str, Any]) -> str:
    # The message for an unknown tag repeats the tag that was sent.
    if error["type"] == "union_tag_invalid":
        return "Input tag does not match any of the expected tags"
    return str(error["msg"])[:LONGEST_REASON]
