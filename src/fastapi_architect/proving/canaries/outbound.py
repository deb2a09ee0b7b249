"""What the example sends to other hosts: recorded, and answered without leaving the machine.

httpx, requests, urllib and aiohttp are caught where they would open a connection, so that redirects,
retries and hooks above that point behave as they do in production. Anything else ends at `socket.connect`,
which lets loopback through and refuses the rest. Names resolve to what the demonstration says, else to one
public address.
"""

from __future__ import annotations

import io
import ipaddress
import json as jsonlib
import socket
import urllib.request
import urllib.response
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

#: What an unknown name resolves to: a public address that nothing here can reach.
PUBLIC_ADDRESS = "93.184.215.14"


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """One attempt to reach another host.

    Attributes:
        library: httpx, requests, urllib, aiohttp or socket.
        method: of HTTP; "CONNECT" for a raw socket.
        url: as sent; `tcp://host:port` for a raw socket.
        headers: as sent, names in lower case.
        body: as sent, b"" when streamed.
        timeout: seconds allowed for reading the answer; None when the example waits for ever.
        verify: whether certificates were checked; None when not known.
    """

    library: str
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float | None = None
    verify: bool | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What another host says.

    Attributes:
        status, body, headers: of the response.
        error: "timeout" or "connection" to raise the library's own error instead.
    """

    status: int = 200
    body: bytes = b"an answer from outside"
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/plain"})
    error: str = ""


class Outbound:
    """Records and answers outbound requests.

    Attributes:
        requests: in order.
    """

    def __init__(self) -> None:
        self.requests: list[OutboundRequest] = []
        self._answers: list[tuple[str, Answer]] = []
        self._names: dict[str, list[str]] = {}
        self._last_name: dict[str, str] = {}
        self._redirected: dict[int, Callable[[], int]] = {}

    def answer(
        self, prefix: str, *, status: int = 200, text: str = "", json: object = None,
        headers: Mapping[str, str] | None = None, error: str = "",
    ) -> None:  # fmt: skip
        """Say what requests to addresses that start with `prefix` are answered; the latest that fits wins."""
        given = dict(headers or {})
        if json is not None:
            given.setdefault("content-type", "application/json")
            text = jsonlib.dumps(json)
        given.setdefault("content-type", "text/plain")
        self._answers.append((prefix, Answer(status, text.encode(), given, error)))

    def resolve(self, name: str, *addresses: str) -> None:
        """Say what a name resolves to: one address after the other, the last for good (DNS rebinding)."""
        self._names[name.lower().rstrip(".")] = list(addresses)

    def on_port(self, port: int, served_at: Callable[[], int]) -> None:
        """Connections to `port`, on whatever host, go to the port of this machine that `served_at` names."""
        self._redirected[port] = served_at

    def record(self, request: OutboundRequest) -> Answer:
        """Remember a request and find its answer."""
        self.requests.append(request)
        for prefix, answer in reversed(self._answers):
            if request.url.startswith(prefix):
                return answer
        return Answer()

    def install(self) -> None:
        """Replace the places where libraries open connections.

        A library that is not installed is left out.
        """
        for install in (_install_httpx, _install_requests, _install_aiohttp):
            try:
                install(self)
            except ImportError:
                continue
        _install_urllib(self)
        self._install_sockets()

    def addresses(self, name: str) -> list[str]:
        """What a name resolves to now."""
        key = name.lower().rstrip(".").strip("[]")
        try:
            # inet_aton also reads 127.1 and 2130706433, as the real resolver does.
            return (
                [str(ipaddress.ip_address(key))] if ":" in key else [socket.inet_ntoa(socket.inet_aton(key))]
            )
        except (OSError, ValueError):
            pass
        if key in ("", "localhost") or key.endswith(".localhost"):
            return ["127.0.0.1"]
        known = self._names.get(key) or [PUBLIC_ADDRESS]
        address = known.pop(0) if len(known) > 1 else known[0]
        self._last_name[address] = key
        return [address]

    def _install_sockets(self) -> None:
        connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
        sendto: Callable[..., int] = socket.socket.sendto

        def guarded(sock: socket.socket, address: Any) -> Any:
            if sock.family not in (socket.AF_INET, socket.AF_INET6):
                return address
            host, port = address[0], address[1]
            host = self.addresses(host)[0]
            if port in self._redirected:
                local = "127.0.0.1" if sock.family == socket.AF_INET else "::1"
                return (local, self._redirected[port]())
            if ipaddress.ip_address(host.partition("%")[0]).is_loopback:
                return (host, *address[1:])
            # Most callers resolve the name first and connect to the address.
            name = self._last_name.get(host, host)
            place = f"tcp://{name}:{port}"
            self.record(OutboundRequest("socket", "CONNECT", place, timeout=sock.gettimeout()))
            message = f"a proof reaches no other machine: {place} refused"
            raise ConnectionRefusedError(111, message)

        def patched_connect(sock: socket.socket, address: Any) -> None:
            connect(sock, guarded(sock, address))

        def patched_connect_ex(sock: socket.socket, address: Any) -> int:
            try:
                return connect_ex(sock, guarded(sock, address))
            except ConnectionRefusedError:
                return 111

        def patched_sendto(sock: socket.socket, data: Any, *rest: Any) -> int:
            return sendto(sock, data, *rest[:-1], guarded(sock, rest[-1]))

        def patched_getaddrinfo(
            host: Any,
            port: Any,
            family: int = 0,
            type: int = 0,  # noqa: A002
            proto: int = 0,
            flags: int = 0,  # noqa: ARG001
        ) -> list[Any]:
            number = int(port) if str(port or 0).isdigit() else socket.getservbyname(str(port))
            name = host.decode() if isinstance(host, bytes) else (host or "localhost")
            kind = type or socket.SOCK_STREAM
            found: list[Any] = []
            for address in self.addresses(name):
                six = ":" in address
                if family in (0, socket.AF_INET6 if six else socket.AF_INET):
                    place = (address, number, 0, 0) if six else (address, number)
                    found.append(
                        (
                            socket.AF_INET6 if six else socket.AF_INET,
                            socket.SocketKind(kind),
                            proto,
                            "",
                            place,
                        )
                    )
            if not found:
                raise socket.gaierror(socket.EAI_NONAME, f"{name} has no address of this family")
            return found

        socket.socket.connect = patched_connect  # type: ignore[method-assign, assignment]
        socket.socket.connect_ex = patched_connect_ex  # type: ignore[method-assign, assignment]
        socket.socket.sendto = patched_sendto  # type: ignore[method-assign, assignment]
        socket.getaddrinfo = patched_getaddrinfo
        socket.gethostbyname = lambda hostname: self.addresses(hostname)[0]
        socket.gethostbyname_ex = lambda hostname: (hostname, [], self.addresses(hostname))


def _read(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, (bytes, bytearray)) else b""


def _install_httpx(outbound: Outbound) -> None:
    import httpx

    def verifies(transport: Any) -> bool | None:
        context = getattr(getattr(transport, "_pool", None), "_ssl_context", None)
        return None if context is None else bool(context.verify_mode)

    def answered(transport: Any, request: httpx.Request, body: bytes) -> httpx.Response:
        timeout = request.extensions.get("timeout", {}).get("read")
        sent = OutboundRequest(
            "httpx",
            request.method,
            str(request.url),
            dict(request.headers),
            body,
            timeout,
            verifies(transport),
        )
        answer = outbound.record(sent)
        if answer.error == "timeout":
            raise httpx.ReadTimeout("the other host does not answer", request=request)
        if answer.error:
            raise httpx.ConnectError("the other host is not there", request=request)
        return httpx.Response(
            answer.status, headers=dict(answer.headers), content=answer.body, request=request
        )

    def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        return answered(transport, request, request.read())

    async def handle_async(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        return answered(transport, request, await request.aread())

    httpx.HTTPTransport.handle_request = handle  # type: ignore[method-assign, assignment]
    httpx.AsyncHTTPTransport.handle_async_request = handle_async  # type: ignore[method-assign, assignment]


def _install_requests(outbound: Outbound) -> None:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import HTTPResponse

    def send(
        adapter: HTTPAdapter, request: Any, stream: bool = False, timeout: Any = None, verify: Any = True,
        cert: Any = None, proxies: Any = None,
    ) -> Any:  # fmt: skip
        del stream, cert, proxies
        seconds = timeout[1] if isinstance(timeout, tuple) else timeout
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        sent = OutboundRequest(
            "requests",
            request.method,
            request.url,
            headers,
            _read(request.body),
            seconds,
            verify is not False,
        )
        answer = outbound.record(sent)
        if answer.error == "timeout":
            raise requests.ReadTimeout("the other host does not answer", request=request)
        if answer.error:
            raise requests.ConnectionError("the other host is not there", request=request)
        raw = HTTPResponse(
            io.BytesIO(answer.body), headers=dict(answer.headers), status=answer.status, preload_content=False
        )
        return adapter.build_response(request, raw)

    HTTPAdapter.send = send  # type: ignore[method-assign, assignment]


def _install_aiohttp(outbound: Outbound) -> None:
    import aiohttp  # type: ignore[import-not-found, unused-ignore]

    async def request(session: Any, method: str, url: Any, **options: Any) -> Any:
        given = options.get("timeout", session.timeout)
        seconds = getattr(given, "total", given)
        sent = OutboundRequest(
            "aiohttp", method, str(url), timeout=seconds, verify=options.get("ssl") is not False
        )
        outbound.record(sent)
        message = "a proof cannot answer aiohttp; the attempt is recorded"
        raise aiohttp.ClientConnectionError(message)

    aiohttp.ClientSession._request = request  # noqa: SLF001 - its only door


def _install_urllib(outbound: Outbound) -> None:
    def do_open(_handler: Any, _connection: Callable[..., Any], request: Any, **_options: Any) -> Any:
        timeout = request.timeout if isinstance(request.timeout, (int, float)) else None
        headers = {name.lower(): value for name, value in request.header_items()}
        sent = OutboundRequest(
            "urllib", request.get_method(), request.full_url, headers, _read(request.data), timeout
        )
        answer = outbound.record(sent)
        if answer.error == "timeout":
            raise TimeoutError("the other host does not answer")
        if answer.error:
            raise urllib.error.URLError("the other host is not there")
        head = Message()
        for name, value in answer.headers.items():
            head[name] = value
        response = urllib.response.addinfourl(io.BytesIO(answer.body), head, request.full_url, answer.status)
        response.msg = "OK"  # type: ignore[attr-defined]
        return response

    urllib.request.AbstractHTTPHandler.do_open = do_open  # type: ignore[assignment, method-assign]
