"""Reads answers that are no larger than agreed, and says in one vocabulary what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from .errors import AnswerRefused, AnswerTooLate, HostUnreachable, TooManyCalls

_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout)


class Counted:
    """The body of an answer while it arrives.

    Args:
        answer: its headers have been read.
        limit: bytes.

    Raises:
        AnswerRefused: it says itself that it is too large, or that it is encoded.
    """

    def __init__(self, answer: httpx2.Response, limit: int) -> None:
        self._answer = answer
        self._limit = limit
        self._chunks: list[bytes] = []
        self._size = 0
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise AnswerRefused("A service that this needs answers in an encoding that was not asked for.")
        announced = answer.headers.get("content-length", "0")
        if answer.request.method != "HEAD" and announced.isdigit() and int(announced[:19]) > limit:
            raise _too_large()

    def add(self, chunk: bytes) -> None:
        """Take what arrived.

        Raises:
            AnswerRefused: it is more than the limit by now.
        """
        self._size += len(chunk)
        if self._size > self._limit:
            raise _too_large()
        self._chunks.append(chunk)

    def whole(self) -> httpx2.Response:
        """Return the answer with its body."""
        return httpx2.Response(
            self._answer.status_code,
            headers=self._answer.headers,
            content=b"".join(self._chunks),
            request=self._answer.request,
        )


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn errors of the library into errors of this component."""
    try:
        yield
    except httpx2.PoolTimeout as error:
        raise TooManyCalls from error
    except httpx2.TimeoutException as error:
        raise AnswerTooLate(sent=not isinstance(error, _NOTHING_SENT)) from error
    except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
        raise HostUnreachable(sent=not isinstance(error, _NOTHING_SENT)) from error


def _too_large() -> AnswerRefused:
    return AnswerRefused("A service that this needs answers with more than was asked for.")
