"""One handler for each family of errors; each answers a problem, or closes a websocket."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol

from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import (
    RequestValidationError,
    ResponseValidationError,
    WebSocketRequestValidationError,
)
from fastapi.requests import HTTPConnection
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

from .errors import ServiceError
from .problem import ProblemResponse, describe, phrase

logger = logging.getLogger(__name__)

POLICY_VIOLATION, INTERNAL_ERROR, TRY_AGAIN_LATER = 1008, 1011, 1013
_WITHOUT_BODY = frozenset({204, 205, 304})
_UNEXPECTED = "Something went wrong on our side."


class Refuser(Protocol):
    """Turns an error of a library into a refusal of ours."""

    def __call__(self, connection: HTTPConnection, error: Exception) -> ServiceError | None:
        """Return what to tell the caller; None where nobody foresaw it."""


async def service_error(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer a refusal of a service."""
    if not isinstance(error, ServiceError):
        return await unexpected_error(connection, error)
    return await _answer(
        connection,
        ProblemResponse(
            error.status,
            error.detail,
            headers=error.headers,
            type=error.type,
            title=error.title,
            extensions=error.extensions,
        ),
    )


async def http_error(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer what the framework refuses itself: no such path, no such method, no readable body."""
    if not isinstance(error, HTTPException):
        return await unexpected_error(connection, error)
    headers: Mapping[str, str] | None = error.headers
    if error.status_code < 200 or error.status_code in _WITHOUT_BODY:
        return Response(status_code=error.status_code, headers=headers)
    detail: Any = error.detail  # FastAPI lets it be anything
    if isinstance(detail, str):
        problem = ProblemResponse(error.status_code, detail, headers=headers)
    else:
        # `detail={...}` is how some services add facts for programs; a problem has members for them.
        extensions = {"data": jsonable_encoder(detail)}
        problem = ProblemResponse(
            error.status_code, phrase(error.status_code), headers=headers, extensions=extensions
        )
    return await _answer(connection, problem)


async def validation_error(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer invalid input; the framework's own handlers would echo it, passwords included."""
    fields = describe(error) if isinstance(error, RequestValidationError) else None
    problem = ProblemResponse(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The input does not validate.", invalid_fields=fields
    )
    return await _answer(connection, problem)


async def undecodable_text(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer text that no database, queue or file can hold: JSON escapes may name half a character."""
    if not (isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed"):
        return await unexpected_error(connection, error)
    problem = ProblemResponse(HTTPStatus.UNPROCESSABLE_ENTITY, "A text is not valid Unicode.")
    return await _answer(connection, problem)


async def response_error(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer our own mistake: what an operation returned is not what it promised.

    The text of the error holds what was returned, hashes of passwords included, so that it is kept out of the log too.
    """
    if not isinstance(error, ResponseValidationError):
        return await unexpected_error(connection, error)
    fields = [f"{field.location}: {field.reason}" for field in describe(error)]
    logger.error(
        "an operation returned what it must not", extra={"path": connection.url.path, "fields": fields}
    )
    return await _answer(connection, ProblemResponse(HTTPStatus.INTERNAL_SERVER_ERROR, _UNEXPECTED))


async def unexpected_error(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer what nobody foresaw: everything in the log, nothing in the answer."""
    logger.error("unexpected error", exc_info=error)
    return await _answer(connection, ProblemResponse(HTTPStatus.INTERNAL_SERVER_ERROR, _UNEXPECTED))


async def _answer(connection: HTTPConnection, problem: ProblemResponse) -> Response | None:
    if not isinstance(connection, WebSocket):
        return problem
    # An accepted websocket has no place for a response, and a refused one only where the server offers it.
    if connection.application_state is WebSocketState.CONNECTING and _may_deny(connection):
        return problem
    if connection.application_state is not WebSocketState.DISCONNECTED:
        await connection.close(_close_code(problem.status_code), reason=phrase(problem.status_code))
    return None


def _may_deny(websocket: WebSocket) -> bool:
    return "websocket.http.response" in (websocket.scope.get("extensions") or {})


def _close_code(status: int) -> int:
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        return TRY_AGAIN_LATER
    return INTERNAL_ERROR if status >= 500 else POLICY_VIOLATION


HANDLERS = {
    ServiceError: service_error,
    HTTPException: http_error,
    RequestValidationError: validation_error,
    WebSocketRequestValidationError: validation_error,
    UnicodeEncodeError: undecodable_text,
    ResponseValidationError: response_error,
    Exception: unexpected_error,
}
