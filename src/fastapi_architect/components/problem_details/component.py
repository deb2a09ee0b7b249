"""The handlers that turn every error into a problem document."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ..service import Component
from .errors import ServiceError
from .problem import InvalidField, ProblemResponse

logger = logging.getLogger(__name__)


class ProblemDetails(Component):
    """Teaches the application to answer every error as a problem."""

    def install(self, app: FastAPI) -> None:
        """Add the handlers."""
        app.add_exception_handler(ServiceError, _service_error)
        app.add_exception_handler(HTTPException, _http_error)
        app.add_exception_handler(RequestValidationError, _validation_error)
        app.add_exception_handler(Exception, _unexpected_error)


async def _service_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, ServiceError)
    return ProblemResponse(error.status, error.detail, headers=error.headers)


async def _http_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return ProblemResponse(HTTPStatus(error.status_code), str(error.detail), headers=headers)


async def _validation_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    fields = [
        InvalidField(location=".".join(str(part) for part in found["loc"]), reason=found["msg"])
        for found in error.errors()
    ]
    return ProblemResponse(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The input does not validate.", invalid_fields=fields
    )


async def _unexpected_error(request: Request, error: Exception) -> ProblemResponse:
    logger.error("unexpected error", exc_info=error)
    return ProblemResponse(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side.")
