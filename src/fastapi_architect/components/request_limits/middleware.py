"""Pure ASGI: counts a body while it arrives, and ends what takes too long."""

import asyncio
import logging
import time
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problem_details import ProblemResponse
from ..service import RequestLimit
from .limits import Budget

logger = logging.getLogger(__name__)

TOO_LARGE = "The body is larger than what is accepted here."
TOO_SLOW = "The body arrives too slowly."
TOO_LONG = "The request took too long."


class RequestLimitsMiddleware:
    """Holds each request to its budget. Websockets pass: they have messages and no body.

    Args:
        app: the application.
        budget: the limits by path.
        grace: seconds of waiting for a body before its rate counts.
        bytes_per_second: the slowest rate of a body.
    """

    def __init__(self, app: ASGIApp, budget: Budget, grace: float, bytes_per_second: int) -> None:
        self.app = app
        self.budget = budget
        self.grace = grace
        self.bytes_per_second = bytes_per_second

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.budget.of(scope)
        request = _Request(self, limit, receive, send)
        declared = Headers(scope=scope).get("content-length")
        if declared is not None and not declared.isdecimal():
            await request.refuse(scope, HTTPStatus.BAD_REQUEST, "The length of the body is no number.")
        elif declared is not None and limit.max_bytes is not None and int(declared[:20]) > limit.max_bytes:
            # Refused before a byte of it is read.
            await request.refuse(scope, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
        else:
            await request.serve(self.app, scope)


class _Request:
    """One request on its way."""

    def __init__(
        self, limits: RequestLimitsMiddleware, limit: RequestLimit, receive: Receive, send: Send
    ) -> None:
        self.limits = limits
        self.limit = limit
        self._receive = receive
        self._send = send
        self._deadline = asyncio.timeout(limit.seconds)
        self._is_complete = False
        self._received = 0
        self._waited = 0.0
        self._has_started = False
        self._refusal: HTTPException | None = None

    async def serve(self, app: ASGIApp, scope: Scope) -> None:
        try:
            async with self._deadline:
                await app(scope, self.receive, self.send)
        except TimeoutError:
            if not self._deadline.expired() or self._has_started:
                raise
            logger.warning("request timed out", extra={"path": scope["path"], "seconds": self.limit.seconds})
            await self.refuse(scope, HTTPStatus.GATEWAY_TIMEOUT, TOO_LONG)
            return
        except HTTPException as error:
            if error is not self._refusal or self._has_started:
                raise
        # Whatever the application made of the broken body, and if nothing at all: this is the answer.
        if self._refusal is not None and not self._has_started:
            await self.refuse(scope, HTTPStatus(self._refusal.status_code), self._refusal.detail)

    async def refuse(self, scope: Scope, status: HTTPStatus, detail: str) -> None:
        # The rest of the body is not read, so that the connection is of no more use.
        answer = ProblemResponse(status, detail, headers={"Connection": "close"})
        await answer(scope, self._receive, self._send)

    async def receive(self) -> Message:
        if self._refusal is not None:
            raise self._refusal
        if self._is_complete:
            return await self._receive()
        message = await self._receive_in_time()
        self._received += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self.limit.max_bytes is not None and self._received > self.limit.max_bytes:
            self._refuse_later(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
        return message

    async def _receive_in_time(self) -> Message:
        # Only waiting for the client counts, and not what the application does between two pieces.
        allowed = self.limits.grace + self._received / self.limits.bytes_per_second - self._waited
        started = time.monotonic()
        patience = asyncio.timeout(max(allowed, 0))
        try:
            async with patience:
                return await self._receive()
        except TimeoutError:
            if patience.expired():
                self._refuse_later(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW)
            raise
        finally:
            self._waited += time.monotonic() - started

    def _refuse_later(self, status: HTTPStatus, detail: str) -> None:
        self._refusal = HTTPException(status, detail)
        raise self._refusal

    async def send(self, message: Message) -> None:
        if self._refusal is not None and not self._has_started:
            return
        if message["type"] == "http.response.start":
            self._has_started = True
            # A slow reader of a large answer is not a slow request.
            self._deadline.reschedule(None)
        await self._send(message)
