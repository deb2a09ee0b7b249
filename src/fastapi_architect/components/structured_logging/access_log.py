"""Notes how each request ended, without its query: that is where tokens and addresses stand."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..service import RouteTemplates, local_path
from .configuration import LoggingSettings

logger = logging.getLogger("access")

CLIENT_CLOSED = 499


class AccessLogMiddleware:
    """Writes one record a request: a warning if it failed or was slow."""

    def __init__(self, app: ASGIApp, settings: LoggingSettings, templates: RouteTemplates) -> None:
        self.app = app
        self.settings = settings
        self.templates = templates
        self.quiet = frozenset(settings.quiet_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        # Of the scope as it came: routing into a mounted application changes it.
        path, method = local_path(scope), scope.get("method", "WEBSOCKET")
        started = time.perf_counter()
        status, size = 0, 0

        async def send_and_note(message: Message) -> None:
            nonlocal status, size
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception:
            # What the server answers when nobody else did.
            status = status or 500
            raise
        finally:
            seconds = time.perf_counter() - started
            # Nothing was sent and nothing raised but a cancellation: the client went away.
            status = status or (403 if method == "WEBSOCKET" else CLIENT_CLOSED)
            if not (path in self.quiet and status < 400):
                self._note(scope, path, method, status, seconds, size)

    def _note(self, scope: Scope, path: str, method: str, status: int, seconds: float, size: int) -> None:
        slow = method != "WEBSOCKET" and seconds >= self.settings.slow
        client = scope.get("client")
        logger.log(
            logging.WARNING if status >= 500 or slow else logging.INFO,
            "request served",
            extra={
                "method": method,
                "path": path,
                "route": self.templates.of(scope),
                "status": status,
                "seconds": round(seconds, 4),
                "bytes": size,
                "client": client[0] if client else None,
            },
        )
