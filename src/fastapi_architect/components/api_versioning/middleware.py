"""Pure ASGI: finds the version of a request, and says in the answer what will become of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from ..problem_details import BadRequest, Gone, ProblemResponse, ServiceError
from .versions import HEADER, ApiVersion, Versions


@dataclass(frozen=True, slots=True)
class _Found:
    version: ApiVersion
    #: What follows the version in the path.
    rest: str
    #: Whether a header, or nothing, named the version, and not the path.
    is_negotiated: bool
    media_type: str | None


class ApiVersioningMiddleware:
    """Leads a request that names its version in a header to the path of that version.

    Routes know one way only, the path; whatever decides by path behind this (limits, caches) sees that one too.
    """

    def __init__(self, app: ASGIApp, versions: Versions, now: Callable[[], datetime]) -> None:
        self.app = app
        self.versions = versions
        self.now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        root = scope.get("root_path", "")
        path = scope.get("path", "").removeprefix(root)
        if scope["type"] not in ("http", "websocket") or not self.versions.is_below_prefix(path):
            await self.app(scope, receive, send)
            return
        try:
            found = self._find(path, Headers(scope=scope))
        except ServiceError as error:
            await _refuse(error, scope, receive, send)
            return
        if found is None:
            await self.app(scope, receive, _varying(send))
            return
        if found.is_negotiated:
            # The same scope, and no copy: what stands around this reads from it which route it was.
            scope["path"] = root + self.versions.path(found.version, found.rest)
            scope["raw_path"] = quote(scope["path"]).encode()
        successor = quote(root + self.versions.path(self.versions.newest, found.rest))
        await self.app(scope, receive, _announcing(send, found, successor))

    def _find(self, path: str, headers: Headers) -> _Found | None:
        asked = self.versions.asked_for(headers)
        named = self.versions.split(path)
        if named is not None:
            version, rest = self.versions.of_path(named[0]), named[1]
            if asked not in (None, version):
                raise BadRequest("The path and a header name different versions.")
        elif asked is not None or self.versions.default is not None:
            version = asked or self.versions.of_path(str(self.versions.default))
            rest = path.removeprefix(self.versions.prefix)
        else:
            return None
        if version.sunset_at is not None and version.sunset_at <= self.now():
            newest = self.versions.newest.name
            raise Gone(
                f"Version {version.name} of this API has ended. Use version {newest}.",
                headers=version.headers(),
            )
        return _Found(version, rest, named is None, self.versions.media_type(headers))


async def _refuse(error: ServiceError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await WebSocketClose(code=1008, reason=error.detail)(scope, receive, send)
        return
    answer = ProblemResponse(error.status, error.detail, headers=error.headers, extensions=error.extensions)
    await answer(scope, receive, _varying(send))


def _announcing(send: Send, found: _Found, successor: str) -> Send:
    """Return a `send` that adds what is to be said about the version."""
    added, links = found.version.headers(), found.version.links(successor)

    async def announce(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            headers.update(added)
            if links is not None:
                headers.append("Link", links)  # beside those of pages
            if found.is_negotiated:
                _vary(headers)
            if found.media_type is not None and headers.get("content-type") == "application/json":
                headers["Content-Type"] = found.media_type
        await send(message)

    return announce


def _varying(send: Send) -> Send:
    async def vary(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            _vary(MutableHeaders(scope=message))
        await send(message)

    return vary


def _vary(headers: MutableHeaders) -> None:
    """Tell caches that another header would have been answered otherwise."""
    headers.add_vary_header(HEADER)
    headers.add_vary_header("Accept")
