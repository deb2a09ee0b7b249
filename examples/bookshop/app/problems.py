"""Every error leaves as one format: problem details (RFC 9457)."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.errors import ShopError
from app.logs import current_request_id

logger = logging.getLogger(__name__)

PROBLEM_MEDIA_TYPE = "application/problem+json"


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

    media_type = PROBLEM_MEDIA_TYPE

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


def documented(description: str) -> dict[str, Any]:
    """Return the OpenAPI entry of an error response; the media type is the true one."""
    return {
        "description": description,
        "content": {PROBLEM_MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
    }


BAD_REQUEST = documented("The request cannot be read.")
UNAUTHENTICATED = documented("The credentials are missing, wrong or expired.")
FORBIDDEN = documented("The caller's role does not allow this.")
NOT_FOUND = documented("There is no such thing, or it is not the caller's.")
CONFLICT = documented("The request contradicts the present state.")
TOO_LARGE = documented("The body is too large.")
UNSUPPORTED_MEDIA = documented("The bytes are not of an accepted kind.")
INVALID = documented("The input does not validate; `invalid_fields` says where.")
TOO_MANY_REQUESTS = documented("Too many attempts; Retry-After says when to come back.")
UNAVAILABLE = documented("A dependency is down; Retry-After says when to come back.")
TIMED_OUT = documented("The request took too long.")


def describe(errors: Sequence[dict[str, Any]]) -> list[InvalidField]:
    """Return where and why each field was refused, without its value."""
    return [
        InvalidField(location=".".join(str(part) for part in error["loc"]), reason=error["msg"])
        for error in errors
    ]


async def unexpected_error(request: Request, error: Exception) -> ProblemResponse:
    """Answer what nobody foresaw: everything in the log, nothing in the answer."""
    logger.exception("unexpected error", exc_info=error)
    return ProblemResponse(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side.")


def install_problem_handlers(app: FastAPI) -> None:
    """Teach the application to answer every error as a problem."""

    @app.exception_handler(ShopError)
    async def shop_error(request: Request, error: ShopError) -> ProblemResponse:
        """Answer a refusal of the shop."""
        headers = {}
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        if error.status is HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return ProblemResponse(error.status, error.detail, headers=headers)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> ProblemResponse:
        """Answer what the framework refuses itself: no such path, no such method, no credentials."""
        headers = dict(error.headers) if error.headers else None
        return ProblemResponse(HTTPStatus(error.status_code), str(error.detail), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def validation_error(request: Request, error: RequestValidationError) -> ProblemResponse:
        """Answer invalid input; the default handler would echo the body, passwords included."""
        return ProblemResponse(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "The input does not validate.",
            invalid_fields=describe(error.errors()),
        )

    @app.exception_handler(IntegrityError)
    @app.exception_handler(StaleDataError)
    async def write_conflict(request: Request, error: Exception) -> ProblemResponse:
        """Answer a write that lost against a constraint or against a newer version of the row."""
        logger.warning("write conflict", exc_info=error)
        return ProblemResponse(
            HTTPStatus.CONFLICT, "The data changed or contradicts existing data. Read it again."
        )

    app.add_exception_handler(Exception, unexpected_error)
