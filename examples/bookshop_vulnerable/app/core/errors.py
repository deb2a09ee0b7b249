"""Errors of the domain, and the one shape (RFC 9457) in which every error leaves the service."""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException as StarletteHTTPException

logger = logging.getLogger(__name__)


class Problem(BaseModel):
    """An error as RFC 9457 describes it."""

    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = []


ERROR_RESPONSES: dict[int | str, dict[str, object]] = {
    status: {"model": Problem} for status in (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503)
}


class BookshopError(Exception):
    """Base of everything that the domain refuses."""

    status = 400
    title = "Bad request"
    headers: Mapping[str, str] = {}

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class AuthenticationFailed(BookshopError):
    """The caller is not who the request says."""

    status = 401
    title = "Not authenticated"
    headers = {"WWW-Authenticate": "Bearer"}


class PermissionDenied(BookshopError):
    """The caller is known and may not do this."""

    status = 403
    title = "Forbidden"


class NotFound(BookshopError):
    """There is no such thing, or not for this caller."""

    status = 404
    title = "Not found"


class Conflict(BookshopError):
    """The state of the resource does not allow it."""

    status = 409
    title = "Conflict"


class UnsupportedMedia(BookshopError):
    """A file of a kind that the shop does not take."""

    status = 415
    title = "Unsupported media type"


class TooManyRequests(BookshopError):
    """The caller has to wait."""

    status = 429
    title = "Too many requests"
    headers = {"Retry-After": "60"}


class UpstreamUnavailable(BookshopError):
    """A service that we depend on did not answer."""

    status = 502
    title = "Bad gateway"


class DependencyUnavailable(BookshopError):
    """A part of our own infrastructure did not answer."""

    status = 503
    title = "Service unavailable"
    headers = {"Retry-After": "30"}


def problem(
    status: int,
    title: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> JSONResponse:
    """The response for one error."""
    body = Problem(title=title, status=status, detail=detail, errors=errors or [])
    return JSONResponse(
        jsonable_encoder(body),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/problem+json",
    )


async def on_domain_error(request: Request, exc: BookshopError) -> JSONResponse:
    """Answer with the status that the error carries, and log who was refused what."""
    if exc.status in (401, 403):
        logger.warning("%s refused: %s", request.method, exc.detail)
    return problem(exc.status, exc.title, exc.detail, exc.headers)


async def on_http_exception(request: Request, exc: StarletteHTTPException) -> JSONResponse:
    """Answer router errors (404, 405) and HTTPException in the same shape."""
    return problem(exc.status_code, "Request failed", str(exc.detail), exc.headers)


async def on_validation_error(request: Request, exc: RequestValidationError) -> JSONResponse:
    """Name the fields that are wrong, never what they held."""
    errors = [{"field": ".".join(str(part) for part in error["loc"]), "message": error["msg"]} for error in exc.errors()]
    return problem(422, "Validation failed", "The request does not have the expected form.", errors=errors)


async def on_integrity_error(request: Request, exc: IntegrityError) -> JSONResponse:
    """A constraint of the database refused the write."""
    logger.info("constraint violated", exc_info=exc)
    return problem(409, "Conflict", "The resource conflicts with an existing one.")


async def on_unexpected_error(request: Request, exc: Exception) -> JSONResponse:
    """Log what happened and tell the caller nothing about it."""
    logger.error("unexpected error", exc_info=exc)
    return problem(500, "Internal server error", "An unexpected error occurred.")


def register_error_handlers(app: FastAPI) -> None:
    """Give `app` the one error format."""
    app.add_exception_handler(BookshopError, on_domain_error)
    app.add_exception_handler(StarletteHTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(IntegrityError, on_integrity_error)
    app.add_exception_handler(Exception, on_unexpected_error)
