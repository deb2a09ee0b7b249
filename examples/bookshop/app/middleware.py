"""What happens around every request. Plain ASGI: bodies stream through, context variables stay visible."""

import asyncio
import logging
import re
import time
from http import HTTPStatus
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import bind_request_id
from app.problems import ProblemResponse, unexpected_error

logger = logging.getLogger(__name__)

PROPER_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-site",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class RequestContextMiddleware:
    """Gives the request an identifier, and logs how it ended (the path without its query)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        offered = Headers(scope=scope).get("x-request-id", "")
        request_id = offered if PROPER_REQUEST_ID.fullmatch(offered) else str(uuid4())
        bind_request_id(request_id)
        started = time.perf_counter()
        status = 0

        async def send_with_identifier(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_identifier)
        finally:
            seconds = round(time.perf_counter() - started, 4)
            logger.info(
                "request served",
                extra={
                    "method": scope.get("method", "WEBSOCKET"),
                    "path": scope["path"],
                    "status": status,
                    "seconds": seconds,
                },
            )


class SecurityHeadersMiddleware:
    """Tells browsers what they must not do with a response, and caches not to keep it unless it says so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class ErrorBoundaryMiddleware:
    """Ends a request that takes too long or fails unforeseen.

    It stands inside the CORS middleware: Starlette's own last resort stands outside of everything, so that a
    browser could not even read its answer.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False
        deadline = asyncio.timeout(self.seconds)

        async def send_and_remember(message: Message) -> None:
            nonlocal started
            if not started:
                started = True
                deadline.reschedule(None)  # a slow reader of a large response is not a slow request
            await send(message)

        try:
            async with deadline:
                await self.app(scope, receive, send_and_remember)
        except TimeoutError:
            logger.exception("request timed out", extra={"path": scope["path"]})
            if started:
                raise
            answer = ProblemResponse(HTTPStatus.GATEWAY_TIMEOUT, "The request took too long.")
            await answer(scope, receive, send)
        except Exception as error:
            if started:
                raise
            answer = await unexpected_error(Request(scope), error)
            await answer(scope, receive, send)


class BodyLimitMiddleware:
    """Refuses a body larger than the limit: by its declared length at once, else while it arrives."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self.max_bytes:
            answer = ProblemResponse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
            await answer(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
            return message

        await self.app(scope, receive_counted, send)
