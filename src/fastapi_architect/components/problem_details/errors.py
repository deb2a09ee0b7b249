"""What a service may refuse, in its own words. Nothing here knows HTTP frameworks: services raise these, handlers answer."""

from http import HTTPStatus
from typing import ClassVar


class ServiceError(Exception):
    """A refusal with a sentence for the caller."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}


class InvalidInput(ServiceError):
    """The input is well-formed and cannot be accepted."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class NotAuthenticated(ServiceError):
    """Nobody proved who is asking."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str = "Authentication is required.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ServiceError):
    """The caller is known and may not do this."""

    status = HTTPStatus.FORBIDDEN


class NotFound(ServiceError):
    """There is no such thing, or not for this caller: the answer must not tell which."""

    status = HTTPStatus.NOT_FOUND


class Conflict(ServiceError):
    """The state of the thing does not allow it."""

    status = HTTPStatus.CONFLICT


class PreconditionFailed(ServiceError):
    """The caller has seen an older state."""

    status = HTTPStatus.PRECONDITION_FAILED


class _Later(ServiceError):
    def __init__(self, detail: str, *, retry_after: float, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": str(max(1, round(retry_after)))} | (headers or {}))


class TooManyRequests(_Later):
    """The caller asks too often; `retry_after` is in seconds."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(_Later):
    """Something that this needs is down; `retry_after` is in seconds."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
