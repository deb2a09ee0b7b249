"""What a service may refuse, in its own words. Nothing here knows HTTP frameworks: services raise these, handlers answer."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from pydantic import JsonValue


class ServiceError(Exception):
    """A refusal with a sentence for the caller.

    A subclass names a kind of problem. Its docstring is what the API's documentation says about it.

    Args:
        detail: what the caller can do about it; never the text of another exception.
        headers: of the answer.
        extensions: further members of the problem document, such as the balance that did not suffice.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    #: A URI that names the kind, and a short name; the defaults say that the status tells everything.
    type: ClassVar[str] = "about:blank"
    title: ClassVar[str | None] = None

    def __init__(
        self,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, JsonValue] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})


class BadRequest(ServiceError):
    """The request cannot be understood."""


class InvalidInput(ServiceError):
    """The input is well-formed and cannot be accepted."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class NotAuthenticated(ServiceError):
    """Nobody proved who is asking."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str = "Authentication is required.", *, challenge: str = "Bearer") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(ServiceError):
    """The caller is known and may not do this."""

    status = HTTPStatus.FORBIDDEN


class NotFound(ServiceError):
    """There is no such thing, or not for this caller: the answer does not tell which."""

    status = HTTPStatus.NOT_FOUND


class Conflict(ServiceError):
    """The present state does not allow it."""

    status = HTTPStatus.CONFLICT


class Gone(ServiceError):
    """It was here and will not come back."""

    status = HTTPStatus.GONE


class PreconditionFailed(ServiceError):
    """The caller has seen an older state."""

    status = HTTPStatus.PRECONDITION_FAILED


class TooLarge(ServiceError):
    """The body is larger than what is accepted here."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMedia(ServiceError):
    """The content is not of an accepted kind."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class _Later(ServiceError):
    def __init__(
        self,
        detail: str,
        *,
        retry_after: float,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, JsonValue] | None = None,
    ) -> None:
        later = {"Retry-After": str(max(1, round(retry_after)))}
        super().__init__(detail, headers=later | dict(headers or {}), extensions=extensions)


class TooManyRequests(_Later):
    """The caller asks too often; Retry-After says when to come back."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(_Later):
    """Something that this needs is down; Retry-After says when to come back."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
