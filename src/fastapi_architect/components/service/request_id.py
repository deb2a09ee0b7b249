"""The identifier of the request being served, for logs, problems and messages to workers."""

import re
from contextvars import ContextVar
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
#: What a caller may choose: nothing that a log, a header or a query could take for more than a name.
PROPER = re.compile(r"[A-Za-z0-9._-]{8,128}")

_request_id: ContextVar[str] = ContextVar("request_id", default="-")


def current_request_id() -> str:
    """Return the identifier of the request being served, or "-" outside of one."""
    return _request_id.get()


def bind_request_id(request_id: str) -> None:
    """Give the present context its request identifier; every request has a context of its own."""
    _request_id.set(request_id)


class RequestIdMiddleware:
    """Takes over the caller's identifier if it is well-formed, else makes one, and answers with it.

    `install` puts it around everything, so that no component has to ask whether another one is there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        offered = Headers(scope=scope).get(HEADER, "")
        request_id = offered if PROPER.fullmatch(offered) else str(uuid4())
        bind_request_id(request_id)

        async def send_with_identifier(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        await self.app(scope, receive, send_with_identifier)
