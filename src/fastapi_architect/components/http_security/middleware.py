"""Pure ASGI: which requests are let in, and what each answer tells browsers."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from ..problem_details import ProblemResponse
from ..service import local_path

#: `example.com`, `example.com:8443`, `[::1]:8000`; everything else is no host.
_HOST_HEADER = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::[0-9]{1,5})?")


class SecurityHeadersMiddleware:
    """Adds headers to each answer, where the application did not set its own.

    Args:
        app: the application.
        headers: of every answer.
        https_headers: of answers to encrypted requests: HSTS counts nowhere else (RFC 6797, 7.2).
        by_path: of single paths instead of those: pages of documentation need programs and styles.
    """

    def __init__(
        self,
        app: ASGIApp,
        headers: Mapping[str, str],
        https_headers: Mapping[str, str],
        by_path: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.app = app
        self.headers = headers
        self.https_headers = https_headers
        self.by_path = by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        added = {**self.headers, **self.by_path.get(local_path(scope), {})}
        if scope["scheme"] == "https":
            added |= self.https_headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                present = MutableHeaders(scope=message)
                for name, value in added.items():
                    present.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class TrustedHostMiddleware:
    """Refuses requests for a host that is not ours: its name would get into links, caches and decisions."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], exempt: Iterable[str] = ()) -> None:
        self.app = app
        self.names = frozenset(host for host in hosts if not host.startswith("*."))
        self.endings = tuple(host[1:] for host in hosts if host.startswith("*."))
        self.exempt = frozenset(exempt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if (
            scope["type"] not in ("http", "websocket")
            or local_path(scope) in self.exempt
            or self._is_ours(scope)
        ):
            await self.app(scope, receive, send)
            return
        await refuse(scope, receive, send, HTTPStatus.MISDIRECTED_REQUEST, "There is no such host here.")

    def _is_ours(self, scope: Scope) -> bool:
        named = Headers(scope=scope).getlist("host")
        if len(named) != 1:
            return False
        match = _HOST_HEADER.fullmatch(named[0].lower())
        if match is None:
            return False
        name = match["name"]
        return name in self.names or name.endswith(self.endings)


class HttpsMiddleware:
    """Refuses plain HTTP.

    A redirect would hide the mistake: a program would send its password in the clear every time, and then again encrypted.
    Behind a proxy the scheme is what the *server* takes from a proxy that it was told to trust; no header is read here.
    """

    def __init__(self, app: ASGIApp, exempt: Iterable[str] = ()) -> None:
        self.app = app
        self.exempt = frozenset(exempt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        plain = scope["type"] in ("http", "websocket") and scope["scheme"] not in ("https", "wss")
        if plain and local_path(scope) not in self.exempt:
            await refuse(
                scope,
                receive,
                send,
                HTTPStatus.FORBIDDEN,
                "Use https:// and change what you sent in the clear.",
            )
            return
        await self.app(scope, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send, status: HTTPStatus, detail: str) -> None:
    """Answer a problem, and read no body."""
    if scope["type"] == "websocket":
        await WebSocketClose(code=1008)(scope, receive, send)
        return
    await ProblemResponse(status, detail, headers={"Connection": "close"})(scope, receive, send)
