"""Why a call to another host did not work out."""

from http import HTTPStatus

from ..problem_details import InvalidInput, ServiceError, Unavailable


class UrlRefused(InvalidInput):
    """The service does not call this URL; the sentence says what is wrong with how it is written."""


class AddressRefused(UrlRefused):
    """The host leads to an address that the service does not call.

    The sentence names no address: whoever may choose URLs must not learn what a name means inside.
    """

    def __init__(self) -> None:
        super().__init__("This URL does not lead to a public address.")


class HostUnreachable(ServiceError):
    """The host has no address, takes no connection, or broke off."""

    status = HTTPStatus.BAD_GATEWAY

    def __init__(self, detail: str = "A service that this needs cannot be reached.", *, sent: bool) -> None:
        super().__init__(detail)
        #: Whether a part of the request may have reached the host.
        self.sent = sent


class AnswerTooLate(HostUnreachable):
    """The host did not answer in time."""

    status = HTTPStatus.GATEWAY_TIMEOUT

    def __init__(self, *, sent: bool) -> None:
        super().__init__("A service that this needs did not answer in time.", sent=sent)


class AnswerRefused(ServiceError):
    """The host answered with more than was asked for, in an encoding that was not, or with a redirect too many."""

    status = HTTPStatus.BAD_GATEWAY


class CircuitOpen(Unavailable):
    """The host failed so often of late that it is left alone for a while."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("A service that this needs is not answering.", retry_after=retry_after)


class TooManyCalls(Unavailable):
    """As many calls are under way as this process makes at once."""

    def __init__(self) -> None:
        super().__init__("Too many calls to other services are under way.", retry_after=1)
