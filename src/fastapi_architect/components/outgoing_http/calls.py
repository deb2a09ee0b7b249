"""What one call does, without doing it.

`Caller.steps` yields what has to happen next: a request to send or a number of seconds to wait. A driver does it, in a
coroutine or in a worker's thread, and passes the answer or the error back in; so both follow the same rules.
"""

import logging
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx2

from ..service.request_id import current_request_id
from .circuit_breaker import CircuitBreakers, Outcome
from .errors import AnswerRefused, HostUnreachable
from .retries import IDEMPOTENT, WORTH_RETRYING, RetryPolicy
from .settings import OutgoingHttpSettings
from .urls import UrlRules, port_of

logger = logging.getLogger(__name__)

Steps = Generator[httpx2.Request | float, httpx2.Response | None, httpx2.Response]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: All that another host may see of what was meant for the first one: an API key may stand in any header.
_NOT_SECRET = frozenset({"accept", "accept-encoding", "accept-language", "user-agent", "x-request-id"})


@dataclass(frozen=True, slots=True)
class Call:
    """A request and how to go about it."""

    request: httpx2.Request
    retry: bool
    redirects: int
    #: By the monotonic clock.
    deadline: float

    def left(self) -> float:
        """Return the seconds until the deadline."""
        return self.deadline - time.monotonic()


class Caller:
    """The rules of a process for its calls: the same for asynchronous code and for workers."""

    def __init__(self, settings: OutgoingHttpSettings) -> None:
        self.settings = settings
        schemes = {"https", "http"} if settings.allow_plain_http else {"https"}
        self.rules = UrlRules(frozenset(schemes), settings.ports)
        self.retries = RetryPolicy(attempts=settings.attempts)
        self.breakers = CircuitBreakers(settings.breaker_failures, settings.breaker_seconds)

    def prepare(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        retry: bool | None = None,
        redirects: int = 0,
        timeout: float | None = None,
    ) -> Call:
        """Return a call.

        Args:
            method: of HTTP.
            url: absolute.
            params: become the URL's query.
            headers: those of the caller; `Host` follows from the URL.
            content, json, form: the body, at most one of them.
            retry: whether it may be sent again; None: if the method is idempotent.
            redirects: how many are followed.
            timeout: seconds for everything; None: as the settings say.

        Raises:
            UrlRefused: the URL is not one that the service calls.
            ValueError: the headers name a host.
        """
        given = httpx2.Headers(headers)
        if "host" in given:
            raise ValueError(
                "the URL names the host; a header that names another one is how guards are passed by"
            )
        checked = self.rules.check(url)
        request = httpx2.Request(
            method,
            checked if params is None else checked.copy_merge_params(dict(params)),
            headers=self._own_headers() | dict(given),
            content=content,
            json=json,
            data=None if form is None else dict(form),
            extensions={"timeout": self._timeouts()},
        )
        total = self.settings.total_timeout if timeout is None else timeout
        return Call(
            request,
            retry=request.method in IDEMPOTENT if retry is None else retry,
            redirects=redirects,
            deadline=time.monotonic() + total,
        )

    def steps(self, call: Call) -> Steps:
        """Yield what the call does, and return the answer.

        Raises:
            CircuitOpen, HostUnreachable, AnswerTooLate, AnswerRefused, UrlRefused: there is none.
        """
        request = call.request
        for _ in range(call.redirects + 1):
            answer = yield from self._attempts(request, call)
            if (
                call.redirects == 0
                or answer.status_code not in _REDIRECTS
                or "location" not in answer.headers
            ):
                return answer
            request = self._redirected(request, answer.headers["location"])
        raise AnswerRefused("A service that this needs redirects too often.")

    def _attempts(self, request: httpx2.Request, call: Call) -> Steps:
        for attempt in count(1):
            started = time.monotonic()
            try:
                answer = yield from self._attempt(request)
            except HostUnreachable as error:
                _log(request, attempt, started, type(error).__name__)
                wait = self.retries.wait(attempt) if call.retry or not error.sent else None
                if wait is None or wait >= call.left():
                    raise
            else:
                _log(request, attempt, started, answer.status_code)
                worth = call.retry and answer.status_code in WORTH_RETRYING
                wait = self.retries.wait(attempt, answer.headers) if worth else None
                if wait is None or wait >= call.left():
                    return answer
            yield wait
        raise AssertionError("unreachable")

    def _attempt(self, request: httpx2.Request) -> Steps:
        with self.breakers.watch(f"{request.url.host}:{port_of(request.url)}") as watch:
            try:
                answer = yield request
            except HostUnreachable:
                watch.outcome = Outcome.BAD
                raise
            if answer is None:
                raise TypeError("the driver has to pass the answer in")
            watch.outcome = Outcome.BAD if answer.status_code >= 500 else Outcome.GOOD
            return answer

    def _redirected(self, request: httpx2.Request, location: str) -> httpx2.Request:
        target = self.rules.check(str(request.url.join(location)))
        if request.url.scheme == "https" and target.scheme != "https":
            raise AnswerRefused("A service that this needs redirects to an unprotected URL.")
        same_origin = (target.scheme, target.host, port_of(target)) == (
            request.url.scheme,
            request.url.host,
            port_of(request.url),
        )
        if request.method not in {"GET", "HEAD"}:
            raise AnswerRefused(
                "A service that this needs redirects a request that is not meant for another place."
            )
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in _NOT_SECRET or (same_origin and name != "host")
        }
        return httpx2.Request(request.method, target, headers=headers, extensions=dict(request.extensions))

    def _own_headers(self) -> dict[str, str]:
        # Unencoded: what a few kilobytes unpack to is not known before they are unpacked.
        own = {"accept-encoding": "identity", "user-agent": self.settings.user_agent}
        if current_request_id() != "-":
            own["x-request-id"] = current_request_id()
        return own

    def _timeouts(self) -> dict[str, float]:
        return {
            "connect": self.settings.connect_timeout,
            "read": self.settings.read_timeout,
            "write": self.settings.read_timeout,
            "pool": self.settings.pool_timeout,
        }


def _log(request: httpx2.Request, attempt: int, started: float, result: int | str) -> None:
    # Host and method only: paths and queries of webhooks hold secrets.
    logger.info(
        "outgoing call",
        extra={
            "method": request.method,
            "host": request.url.host,
            "attempt": attempt,
            "result": result,
            "milliseconds": round((time.monotonic() - started) * 1000),
        },
    )
