"""HTTP as a server (responses, cookies, errors, sockets) and as a client (requests to elsewhere)."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir

# ── as a client ───────────────────────────────────────────────────────────────────────────────────────────


class OutboundRequest(Concept, frozen=True, eq=False):
    """A request to another host.

    Attributes:
        url: the address; None when the call has none (a connection that was opened before).
        method: upper case; "" when it is not written down.
        timeout: the timeout that applies: of the call, else of the client it is sent with.
        timeout_given: a timeout is written at the call or at its client's creation.
        is_async: the call is to be awaited.
        default_timeout: seconds that apply when none is given; None when the library waits for ever.
        verify: the argument that switches certificate checks.
        client: the object that the method is called on; None for a module's function.
        data: the body.
        headers: the headers.
    """

    url: ir.Expr | None = None
    method: str = ""
    timeout: ir.Expr | None = None
    timeout_given: bool = False
    is_async: bool = False
    default_timeout: float | None = None
    verify: ir.Expr | None = None
    client: ir.Expr | None = None
    data: ir.Expr | None = None
    headers: ir.Expr | None = None


class ClientCreation(Concept, frozen=True, eq=False):
    """A client with a pool of connections, or another object that is costly to make.

    Attributes:
        kind: http, redis, object-storage, model-api, mongo, mail, search or queue.
        is_async: its methods are to be awaited.
        timeout: the argument that limits waiting.
        timeout_given: such an argument is written down.
        default_timeout: seconds that apply without; None when it waits for ever.
        verify: the argument that switches certificate checks.
        url: address or base address.
        managed: it stands in a `with`, which closes it.
    """

    kind: str = "http"
    is_async: bool = False
    timeout: ir.Expr | None = None
    timeout_given: bool = False
    default_timeout: float | None = None
    verify: ir.Expr | None = None
    url: ir.Expr | None = None
    managed: bool = False


class PaidApiCall(Concept, frozen=True, eq=False):
    """A call that somebody is charged for: language models, payments, text messages. `provider` names
    whom.
    """

    provider: str = ""


class StrangersText(Concept, frozen=True, eq=False):
    """A text that somebody outside wrote comes in, as the configuration says of the function that is called."""


# ── as a server ───────────────────────────────────────────────────────────────────────────────────────────


class ResponseCreation(Concept, frozen=True, eq=False):
    """A response object made by hand.

    Attributes:
        kind: html, json, file, redirect, plain, streaming, events or raw.
        content: the body, or the iterator of a stream.
        status: the status code; None when left to the default.
        url: where a redirect leads.
        path: the file that is sent.
        headers: the headers.
        media_type: the media type as given.
        background: the task that runs after the response.
        filename: the name offered to the browser.
    """

    kind: str
    content: ir.Expr | None = None
    status: ir.Expr | None = None
    url: ir.Expr | None = None
    path: ir.Expr | None = None
    headers: ir.Expr | None = None
    media_type: ir.Expr | None = None
    background: ir.Expr | None = None
    filename: ir.Expr | None = None


class CookieSet(Concept, frozen=True, eq=False):
    """A cookie sent to the browser; flags are None when not written down.

    Attributes:
        key: the cookie's name.
        value: its value.
        secure: the `Secure` flag (default off).
        httponly: the `HttpOnly` flag (default off).
        samesite: the `SameSite` value (default lax).
        max_age: seconds, or None for a session cookie.
        domain: the domain.
        response: the response it is set on.
    """

    key: ir.Expr | None = None
    value: ir.Expr | None = None
    secure: ir.Expr | None = None
    httponly: ir.Expr | None = None
    samesite: ir.Expr | None = None
    max_age: ir.Expr | None = None
    domain: ir.Expr | None = None
    response: ir.Expr | None = None


class CookieDelete(Concept, frozen=True, eq=False):
    """A cookie taken back from the browser."""

    key: ir.Expr | None = None
    response: ir.Expr | None = None


class HttpError(Concept, frozen=True, eq=False):
    """An exception that becomes an HTTP error; made here, raised or not (see `site`).

    Attributes:
        status: the status code.
        detail: what the client is told.
        headers: such as `WWW-Authenticate`.
    """

    status: ir.Expr | None = None
    detail: ir.Expr | None = None
    headers: ir.Expr | None = None


class RequestRead(Concept, frozen=True, eq=False):
    """The request's body read by hand: `kind` is body, json, form or stream."""

    kind: str
    request: ir.Expr | None = None


class UploadRead(Concept, frozen=True, eq=False):
    """An uploaded file read; `size` is the limit in bytes, None for all of it."""

    upload: ir.Expr | None = None
    size: ir.Expr | None = None


class UrlBuild(Concept, frozen=True, eq=False):
    """An absolute address made from the request, hence from its Host header."""

    route: ir.Expr | None = None


class RateLimit(Concept, frozen=True, eq=False):
    """A limit on how often something may be called; usually a decorator or a dependency.

    Attributes:
        limit: "5/minute", or the number of times.
        key: what is counted by.
    """

    limit: ir.Expr | None = None
    key: ir.Expr | None = None


# ── sockets ───────────────────────────────────────────────────────────────────────────────────────────────


class WebSocketAccept(Concept, frozen=True, eq=False):
    """The handshake is accepted."""

    socket: ir.Expr | None = None
    subprotocol: ir.Expr | None = None


class WebSocketReceive(Concept, frozen=True, eq=False):
    """A message is awaited: `kind` is text, bytes, json, raw or iterate."""

    kind: str = "raw"
    socket: ir.Expr | None = None


class WebSocketSend(Concept, frozen=True, eq=False):
    """A message is sent: `kind` is text, bytes, json or raw."""

    kind: str = "raw"
    socket: ir.Expr | None = None
    data: ir.Expr | None = None


class WebSocketClose(Concept, frozen=True, eq=False):
    """The socket is closed."""

    socket: ir.Expr | None = None
    code: ir.Expr | None = None
