"""What may go wrong, in the words of the shop. `app.problems` turns each into an HTTP answer."""

from http import HTTPStatus
from typing import ClassVar


class ShopError(Exception):
    """A refusal with a message that was written for the caller to read.

    Args:
        detail: what the caller can do about it; never the text of another exception.
        retry_after: seconds until another attempt is worthwhile, where that is known.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST

    def __init__(self, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after


class InvalidCredentials(ShopError):
    """The caller is not who they say they are."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(ShopError):
    """The caller is known, and may not do this."""

    status = HTTPStatus.FORBIDDEN


class NotFound(ShopError):
    """There is no such thing, or it is not the caller's: the two look alike."""

    status = HTTPStatus.NOT_FOUND


class Conflict(ShopError):
    """The request contradicts the present state."""

    status = HTTPStatus.CONFLICT


class TooLarge(ShopError):
    """The body is larger than what this operation accepts."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMedia(ShopError):
    """The bytes are not of a kind that this operation accepts."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class InvalidInput(ShopError):
    """The input is well-formed and still makes no sense."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooManyRequests(ShopError):
    """The caller has to slow down."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(ShopError):
    """Something that this operation cannot do without is down."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
