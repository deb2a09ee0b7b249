"""Requests to one server, each repeated until it is answered: networks and servers fail for moments, CI jobs shall not.

Every request of this client may be repeated: it reads, or it names what it makes (an upload's identifier, an
idempotency key).

Traps
-----
* No redirect is followed: the token would go to whoever is named there.
* `http.client` speaks to a proxy only when told to; CI runners often reach nothing without theirs.
"""

from __future__ import annotations

import base64
import email.utils
import http.client
import random
import ssl
import time
from collections.abc import Mapping
from typing import IO
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from fastapi_architect import __version__
from fastapi_architect.client.errors import ScanRefused, ServerFailed

#: Seconds that one read or write may take.
SOCKET_SECONDS = 60.0
#: Seconds for which a server that answered before may be away, and one that never answered.
OUTAGE_SECONDS, FIRST_CONTACT_SECONDS = 180.0, 10.0
#: Seconds before the first repetition; doubled each time, up to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
#: Answers that a repetition may change.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_MAX_ANSWER = 32_000_000
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Answer(msgspec.Struct, frozen=True):
    """What a server said.

    Attributes:
        status: of HTTP.
        headers: names in lower case.
        body: as it came.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Problem(msgspec.Struct, frozen=True):
    """Problem details (RFC 9457), as far as people need them."""

    title: str = ""
    detail: str = ""
    request_id: str = ""
    invalid_fields: list[dict[str, str]] = msgspec.field(default_factory=list)

    @classmethod
    def of(cls, answer: Answer) -> Problem:
        """Return what an answer says went wrong; nothing where it does not say it in this form."""
        try:
            return msgspec.json.decode(answer.body, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return cls()

    def sentence(self) -> str:
        """Return it for people, on one line."""
        listed = dict.fromkeys(
            f"{each.get('location', '')}: {each.get('reason', '')}" for each in self.invalid_fields
        )
        fields = "; ".join(list(listed)[:5])
        text = " ".join((self.detail or self.title).split()).rstrip(".")
        return (f"{text} ({fields})" if fields else text)[:1000]


def server_address(text: str, *, allow_http: bool) -> SplitResult:
    """Return the address of a server, checked.

    Args:
        text: as it was given, such as `https://secapi.example.com`.
        allow_http: whether the token may travel unencrypted to another machine.

    Raises:
        ScanRefused: it is none, or the token would be readable on the way.
    """
    try:
        address = urlsplit(text.strip().rstrip("/"))
        host, _ = address.hostname, address.port
    except ValueError as error:
        raise ScanRefused(f"{text!r} is no address of a server: {error}") from error
    if address.scheme not in ("http", "https") or not host:
        message = f"{text!r} is no address of a server; write it as https://secapi.example.com"
        raise ScanRefused(message)
    if address.username is not None or address.query or address.fragment:
        message = "the address of the server is scheme, host, port and path alone; the token comes from the environment or a file"
        raise ScanRefused(message)
    if address.scheme == "http" and host not in _LOOPBACK and not allow_http:
        message = (
            f"http://{host} would carry the token and the code unencrypted; use https://, or add --allow-http "
            "on a network that you trust"
        )
        raise ScanRefused(message)
    return address


class Transport:
    """Sends requests to one server.

    Args:
        address: of the server.
        headers: of every request: who is asking.
    """

    def __init__(self, address: SplitResult, headers: Mapping[str, str]) -> None:
        self.address = address
        self._headers = {
            "Accept": "application/json",
            "User-Agent": f"fastapi-architect/{__version__}",
            **headers,
        }
        self._outage = FIRST_CONTACT_SECONDS
        self._connection: http.client.HTTPConnection | None = None
        self._prefix = ""

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        document: object = None,
        file: IO[bytes] | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, again and again while the server is away or too busy, and return its answer.

        Args:
            method: of HTTP.
            path: below the address of the server.
            query: of the URL.
            document: sent as JSON.
            file: sent as it is, from its beginning.
            content_type: of the file.
            headers: of this request alone.

        Raises:
            ServerFailed: the server stays away, or cannot be trusted.
        """
        target = path + (f"?{urlencode(query)}" if query else "")
        sent = {**self._headers, **(headers or {})}
        if document is not None or file is not None:
            sent["Content-Type"] = content_type
        began, pause = time.monotonic(), _FIRST_PAUSE
        while True:
            try:
                answer = self._once(
                    method, target, sent, file, None if document is None else msgspec.json.encode(document)
                )
            except ssl.SSLCertVerificationError as error:
                raise ServerFailed(_untrusted(self.address, error)) from error
            except ssl.SSLError as error:
                if not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
                    raise ServerFailed(_other_tls(self.address, error)) from error
                self.close()
                left, wait, failure = self._outage, pause, _lost(self.address, error)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                left, wait, failure = self._outage, pause, _lost(self.address, error)
            else:
                self._outage = OUTAGE_SECONDS
                if answer.status not in _PASSING:
                    return answer
                left, wait = self._outage, _retry_after(answer, pause)
                failure = f"{self.address.geturl()} answers {_described(answer)}"
            spent = time.monotonic() - began
            if spent + wait > left:
                raise ServerFailed(
                    f"{failure}; tried for {spent:.0f} s. Look at the server, and run the same command again: nothing is scanned twice"
                )
            time.sleep(wait * random.uniform(0.8, 1.2))
            pause = min(_LONGEST_PAUSE, 2 * pause)

    def pause(self, answer: Answer) -> None:
        """Wait as long as an answer asks for."""
        time.sleep(min(_retry_after(answer, _FIRST_PAUSE), _LONGEST_PAUSE))

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _once(
        self, method: str, target: str, headers: Mapping[str, str], file: IO[bytes] | None, body: bytes | None
    ) -> Answer:
        if self._connection is None:
            self._connection, self._prefix = _connection(self.address)
        sent: dict[str, str] = dict(headers)
        if file is not None:
            sent["Content-Length"] = str(file.seek(0, 2))
            file.seek(0)
        try:
            self._connection.request(method, self._prefix + self.address.path + target, file or body, sent)
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses a body answers before it has read it.
            if self._connection.sock is None:
                raise
        response = self._connection.getresponse()
        content = response.read(_MAX_ANSWER + 1)
        if response.length and len(content) <= _MAX_ANSWER:
            # Read with a limit, an answer that is cut short raises nothing by itself.
            raise http.client.IncompleteRead(content, response.length)
        if response.will_close or len(content) > _MAX_ANSWER:
            self.close()
        if len(content) > _MAX_ANSWER:
            raise ServerFailed(
                f"{self.address.geturl()} answers more than {_MAX_ANSWER} bytes; is it SecAPI?"
            )
        found = {name.lower(): value for name, value in response.getheaders()}
        if 300 <= response.status < 400:
            self.close()
            raise ServerFailed(
                f"{self.address.geturl()} sends us on to {found.get('location', 'somewhere')!r}, and no token is sent there unasked; "
                "name the address at which SecAPI itself answers"
            )
        return Answer(response.status, found, content)


def _connection(address: SplitResult) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection, by way of the proxy that the environment names, and what stands before each path on it."""
    host, port = address.hostname or "", address.port
    proxy = None if host in _LOOPBACK or proxy_bypass(host) else getproxies().get(address.scheme)
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}") if proxy else None
    if through is None or not through.hostname:
        if address.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=SOCKET_SECONDS, context=context), ""
        return http.client.HTTPConnection(host, port, timeout=SOCKET_SECONDS), ""
    allowed = {}
    if through.username is not None:
        pair = f"{unquote(through.username)}:{unquote(through.password or '')}".encode()
        allowed["Proxy-Authorization"] = "Basic " + base64.b64encode(pair).decode()
    if address.scheme == "https":
        made = http.client.HTTPSConnection(
            through.hostname,
            through.port or 8080,
            timeout=SOCKET_SECONDS,
            context=ssl.create_default_context(),
        )
        made.set_tunnel(host, port, allowed)
        return made, ""
    return _PlainProxy(
        through.hostname, through.port or 8080, allowed
    ), f"http://{quote(address.netloc, safe=':[]')}"


class _PlainProxy(http.client.HTTPConnection):
    """A connection to a proxy that is given whole addresses, and who we are with each of them."""

    def __init__(self, host: str, port: int, allowed: Mapping[str, str]) -> None:
        super().__init__(host, port, timeout=SOCKET_SECONDS)
        self._allowed = allowed

    def endheaders(self, message_body: object = None, *, encode_chunked: bool = False) -> None:
        for name, value in self._allowed.items():
            self.putheader(name, value)
        super().endheaders(message_body, encode_chunked=encode_chunked)  # type: ignore[arg-type]


def _retry_after(answer: Answer, otherwise: float) -> float:
    """Seconds that the server asks to wait, as a number or a date; what we would wait if it asks for nothing."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isdecimal() and len(said) < 9:
        return max(float(said), 0.1)
    try:
        when = email.utils.parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return otherwise
    return max(when.timestamp() - time.time(), 0.1)


def _described(answer: Answer) -> str:
    problem = Problem.of(answer)
    known = f" (request {problem.request_id})" if problem.request_id else ""
    words = problem.sentence()
    return f"{answer.status}{': ' + words if words else ''}{known}"


def _untrusted(address: SplitResult, error: ssl.SSLCertVerificationError) -> str:
    return (
        f"the certificate of {address.netloc} is not trusted: {error.verify_message}; if an authority of your own signed it, "
        "name its file in SSL_CERT_FILE"
    )


def _other_tls(address: SplitResult, error: ssl.SSLError) -> str:
    return f"{address.netloc} does not speak TLS as this machine does ({error.reason or error}); does it listen on http://?"


def _lost(address: SplitResult, error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, TimeoutError):
        return f"{address.netloc} did not answer within {SOCKET_SECONDS:.0f} s"
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{address.netloc} cannot be reached: {reason.lower()}"
