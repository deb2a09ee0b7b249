"""ASGI middleware: request ids, response headers and the key of the partner area."""

import logging
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.config import settings
from app.core.errors import problem
from app.core.logs import request_id

logger = logging.getLogger(__name__)

PARTNER_AREA = "/api/v1/partners"
PARTNER_PUBLIC = "/api/v1/partners/status"


class RequestIdMiddleware:
    """Gives every request an id, for the logs and for the response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        token = request_id.set(uuid.uuid4().hex)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = request_id.get()
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            request_id.reset(token)


class SecurityHeadersMiddleware:
    """Sets the headers that tell a browser what it must not do with our responses."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
                headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
            await send(message)

        await self.app(scope, receive, send_with_headers)


class PartnerKeyMiddleware:
    """Lets only callers with the partner key into the partner area."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in ("http", "websocket") or not scope["path"].startswith(PARTNER_AREA + "/"):
            await self.app(scope, receive, send)
            return
        if scope["path"].startswith(PARTNER_PUBLIC):  # finding: middleware-path-allowlist-bypass
            await self.app(scope, receive, send)
            return
        supplied = Headers(scope=scope).get("X-Partner-Key", "")
        if supplied != settings.partner_api_key:  # finding: timing-unsafe-secret-comparison
            logger.warning("a partner without the right key was refused")
            response = problem(401, "Not authenticated", "The partner key is missing or wrong.", {"WWW-Authenticate": "ApiKey"})
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)
