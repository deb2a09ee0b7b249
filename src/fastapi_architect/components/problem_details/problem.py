"""A problem document and its response."""

from http import HTTPStatus

from pydantic import BaseModel
from starlette.responses import Response

from ..service.request_id import current_request_id

MEDIA_TYPE = "application/problem+json"


class InvalidField(BaseModel):
    """One field that was refused. The value is not repeated: it may be a password."""

    location: str
    reason: str


class Problem(BaseModel):
    """Problem details of RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    invalid_fields: list[InvalidField] | None = None


class ProblemResponse(Response):
    """A problem as an HTTP response.

    Args:
        status: the status code, repeated in the body.
        detail: a sentence for the caller.
        headers: such as Retry-After or WWW-Authenticate.
        invalid_fields: for a request that did not validate.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        invalid_fields: list[InvalidField] | None = None,
    ) -> None:
        problem = Problem(
            title=status.phrase,
            status=status.value,
            detail=detail,
            request_id=current_request_id(),
            invalid_fields=invalid_fields,
        )
        super().__init__(
            problem.model_dump_json(exclude_none=True), status_code=status.value, headers=headers
        )
