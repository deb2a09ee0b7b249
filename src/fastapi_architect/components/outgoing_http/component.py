"""The one client of a process for calls to other hosts."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Unpack

import anyio
import httpx2
from fastapi import FastAPI

from ..problem_details import ServiceError
from ..service import Component
from .addresses import AddressGuard, public_address_or
from .answers import Counted, in_our_words
from .calls import Call, Caller, Steps
from .connections import Resolver, resolve
from .errors import AnswerTooLate
from .options import CallOptions
from .settings import OutgoingHttpSettings
from .transports import GuardedTransport


class OutgoingHttp(Component):
    """Calls other hosts: guarded, pooled, in bounded time, again if that is safe, and not at all if they are down.

    Args:
        settings: whom it may call, and its limits.
        guard: which addresses may be called; None: public ones and the networks of the settings.
        resolver: asks for the addresses of a host.
        ssl_context: whom to trust, and our own certificate if one is asked for.
    """

    def __init__(
        self,
        settings: OutgoingHttpSettings,
        *,
        guard: AddressGuard | None = None,
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.settings = settings
        self._caller = Caller(settings)
        #: For libraries that want an httpx2 client: `httpx2.AsyncClient(transport=outgoing.transport, trust_env=False)`.
        self.transport = GuardedTransport(
            self._caller.rules,
            guard or public_address_or(settings.allowed_networks),
            resolver,
            ssl_context,
            settings.max_connections,
        )

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Close the connections at the end."""
        try:
            yield
        finally:
            await self.transport.aclose()

    async def request(self, method: str, url: str, **options: Unpack[CallOptions]) -> httpx2.Response:
        """Call a host, and return its answer, whatever its status; the body is read and not larger than allowed.

        Raises:
            UrlRefused: the URL, or the address it leads to, is not called.
            HostUnreachable, AnswerTooLate, AnswerRefused, CircuitOpen, TooManyCalls: there is no answer.
        """
        call = self._caller.prepare(method, url, **options)
        steps = self._caller.steps(call)
        try:
            return await self._drive(steps, call)
        finally:
            steps.close()

    async def get(self, url: str, **options: Unpack[CallOptions]) -> httpx2.Response:
        """Call a host with GET; as `request`."""
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Unpack[CallOptions]) -> httpx2.Response:
        """Call a host with POST, once, unless `retry=True`; as `request`."""
        return await self.request("POST", url, **options)

    async def _drive(self, steps: Steps, call: Call) -> httpx2.Response:
        try:
            step = next(steps)
            while True:
                if isinstance(step, float):
                    await anyio.sleep(step)
                    step = steps.send(None)
                    continue
                try:
                    answer = await self._exchange(step, call)
                except ServiceError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            found: httpx2.Response = end.value
            return found

    async def _exchange(self, request: httpx2.Request, call: Call) -> httpx2.Response:
        try:
            with anyio.fail_after(call.left()), in_our_words():
                return await self._read(await self.transport.handle_async_request(request))
        except TimeoutError as error:
            raise AnswerTooLate(sent=True) from error

    async def _read(self, answer: httpx2.Response) -> httpx2.Response:
        try:
            counted = Counted(answer, self.settings.max_answer_bytes)
            async for chunk in answer.aiter_raw():
                counted.add(chunk)
            return counted.whole()
        finally:
            with anyio.CancelScope(shield=True):
                await answer.aclose()
