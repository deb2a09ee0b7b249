"""Teaches an application to answer every error as a problem."""

from collections.abc import Awaitable, Callable, Mapping
from importlib.util import find_spec

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from starlette.responses import Response

from ..service import Component, amend_openapi
from .boundary import ErrorBoundaryMiddleware
from .documentation import define_problem, document_problems
from .errors import ServiceError
from .handlers import HANDLERS, Refuser, service_error


class ProblemDetails(Component):
    """Handlers for refusals of services, of the framework, of validation, of the database, and for the unforeseen.

    Args:
        refusers: for errors of further libraries, what to tell the caller:
            `{PaymentDeclined: lambda connection, error: Conflict("The payment was declined.")}`.
    """

    def __init__(self, refusers: Mapping[type[Exception], Refuser] | None = None) -> None:
        self.refusers = dict(refusers or {})

    def install(self, app: FastAPI) -> None:
        """Add the handlers, the boundary for errors of middleware, and the documentation."""
        for kind, handler in HANDLERS.items():
            app.add_exception_handler(kind, handler)  # type: ignore[arg-type]  # a websocket has no response
        for error, refuser in (_of_database() | self.refusers).items():
            app.add_exception_handler(error, _handler(refuser))  # type: ignore[arg-type]
        app.add_middleware(ErrorBoundaryMiddleware, application=app)
        amend_openapi(app, document_problems)


class ProblemsOfComponents(Component):
    """Answers what components refuse, in an application that has its own way for every other answer.

    Args:
        refusers: as of `ProblemDetails`.
    """

    def __init__(self, refusers: Mapping[type[Exception], Refuser] | None = None) -> None:
        self.refusers = dict(refusers or {})

    def install(self, app: FastAPI) -> None:
        """Add the handler of refusals, the boundary for those of middleware, and their documentation."""
        app.add_exception_handler(ServiceError, service_error)  # type: ignore[arg-type]
        for error, refuser in self.refusers.items():
            app.add_exception_handler(error, _handler(refuser))  # type: ignore[arg-type]
        app.add_middleware(ErrorBoundaryMiddleware, application=app, answered=ServiceError)
        amend_openapi(app, define_problem)


def _of_database() -> dict[type[Exception], Refuser]:
    if find_spec("sqlalchemy") is None:
        return {}
    from .database_errors import HANDLED, refusal_of

    return dict.fromkeys(HANDLED, refusal_of)


def _handler(refuser: Refuser) -> Callable[[HTTPConnection, Exception], Awaitable[Response | None]]:
    async def refuse(connection: HTTPConnection, error: Exception) -> Response | None:
        refusal = refuser(connection, error)
        return await service_error(connection, error if refusal is None else refusal)

    return refuse
