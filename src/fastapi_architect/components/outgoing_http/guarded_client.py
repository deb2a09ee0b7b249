"""The same for workers, which block: one client a worker process."""

import ssl
import time
from types import TracebackType
from typing import Self, Unpack

import httpx2

from ..problem_details import ServiceError
from .addresses import AddressGuard, public_address_or
from .answers import Counted, in_our_words
from .calls import Call, Caller, Steps
from .connections import SyncResolver, resolve_blocking, until
from .options import CallOptions
from .settings import OutgoingHttpSettings
from .transports import SyncGuardedTransport


class GuardedClient:
    """Calls other hosts under the rules of `OutgoingHttp`.

    Make it after the worker has forked: parent and child must not share a connection.
    Arguments are those of `OutgoingHttp`.
    """

    def __init__(
        self,
        settings: OutgoingHttpSettings,
        *,
        guard: AddressGuard | None = None,
        resolver: SyncResolver = resolve_blocking,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.settings = settings
        self._caller = Caller(settings)
        #: For libraries that want an httpx2 client: `httpx2.Client(transport=client.transport, trust_env=False)`.
        self.transport = SyncGuardedTransport(
            self._caller.rules,
            guard or public_address_or(settings.allowed_networks),
            resolver,
            ssl_context,
            settings.max_connections,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self.transport.close()

    def request(self, method: str, url: str, **options: Unpack[CallOptions]) -> httpx2.Response:
        """Call a host, and return its answer, whatever its status; the body is read and not larger than allowed.

        Raises:
            UrlRefused: the URL, or the address it leads to, is not called.
            HostUnreachable, AnswerTooLate, AnswerRefused, CircuitOpen, TooManyCalls: there is no answer.
        """
        call = self._caller.prepare(method, url, **options)
        steps = self._caller.steps(call)
        try:
            return self._drive(steps, call)
        finally:
            steps.close()

    def get(self, url: str, **options: Unpack[CallOptions]) -> httpx2.Response:
        """Call a host with GET; as `request`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Unpack[CallOptions]) -> httpx2.Response:
        """Call a host with POST, once, unless `retry=True`; as `request`."""
        return self.request("POST", url, **options)

    def _drive(self, steps: Steps, call: Call) -> httpx2.Response:
        try:
            step = next(steps)
            while True:
                if isinstance(step, float):
                    time.sleep(step)
                    step = steps.send(None)
                    continue
                try:
                    answer = self._exchange(step, call)
                except ServiceError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            found: httpx2.Response = end.value
            return found

    def _exchange(self, request: httpx2.Request, call: Call) -> httpx2.Response:
        with until(call.deadline), in_our_words():
            answer = self.transport.handle_request(request)
            try:
                counted = Counted(answer, self.settings.max_answer_bytes)
                for chunk in answer.iter_raw():
                    counted.add(chunk)
                return counted.whole()
            finally:
                answer.close()
