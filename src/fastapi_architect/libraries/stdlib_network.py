"""Python's own library: sockets, HTTP, mail."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.cryptography import UnverifiedTls
from fastapi_architect.concepts.http import ClientCreation, OutboundRequest
from fastapi_architect.concepts.messaging import EmailSend
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.table import MANAGED, RECEIVER, Argument, Given, describe
from fastapi_architect.program.types import BOOL, BYTES, INT, STR, Instance

library = Library(
    packages=(
        "socket",
        "urllib",
        "http",
        "smtplib",
        "ftplib",
        "imaplib",
        "poplib",
        "telnetlib",
        "ssl",
        "xmlrpc",
        "email",
    ),
    classes={
        "smtplib.SMTP",
        "smtplib.SMTP_SSL",
        "smtplib.LMTP",
        "ftplib.FTP",
        "ftplib.FTP_TLS",
        "imaplib.IMAP4",
    },
    bases={
        "smtplib.SMTP_SSL": ("smtplib.SMTP",),
        "ftplib.FTP_TLS": ("ftplib.FTP",),
        "http.client.HTTPSConnection": ("http.client.HTTPConnection",),
        "urllib.error.URLError": ("builtins.OSError",),
        "urllib.error.HTTPError": ("urllib.error.URLError",),
        "smtplib.SMTPException": ("builtins.OSError",),
        "socket.timeout": ("builtins.OSError",),
        "socket.gaierror": ("builtins.OSError",),
    },
)
library.classes |= {"socket.socket", "imaplib.IMAP4_SSL"}
calls = library.calls
calls["urllib.request.urlopen"] = Instance("http.client.HTTPResponse")
calls["http.client.HTTPConnection.getresponse"] = Instance("http.client.HTTPResponse")
calls["http.client.HTTPResponse.read"] = BYTES
for _name in (
    "quote",
    "quote_plus",
    "unquote",
    "unquote_plus",
    "urlencode",
    "urljoin",
    "urlunparse",
    "urlunsplit",
):
    calls[f"urllib.parse.{_name}"] = STR
calls["urllib.parse.parse_qs"] = Instance("builtins.dict", (STR, Instance("builtins.list", (STR,))))
calls["urllib.parse.parse_qsl"] = Instance("builtins.list", (Instance("builtins.tuple", (STR, STR)),))
calls["urllib.parse.urlparse"] = calls["urllib.parse.urlsplit"] = Instance("urllib.parse.ParseResult")
for _name in ("scheme", "netloc", "path", "params", "query", "fragment", "hostname", "username", "password"):
    library.attributes[f"urllib.parse.ParseResult.{_name}"] = STR
library.attributes["urllib.parse.ParseResult.port"] = INT
library.attributes["http.client.HTTPResponse.status"] = INT
calls["socket.create_connection"] = Instance("socket.socket")
calls["socket.gethostbyname"] = STR
calls["ipaddress.ip_address"] = Instance("ipaddress.IPv4Address")
for _name in ("is_private", "is_loopback", "is_link_local", "is_global", "is_reserved", "is_multicast"):
    library.attributes[f"ipaddress.IPv4Address.{_name}"] = BOOL


@library.recognise(OutboundRequest, names=["urllib.request.urlopen", "urllib.request.urlretrieve"])
def _urlopen(call: RecognisedCall) -> Iterator[OutboundRequest]:
    timeout = call.argument(2, "timeout") if call.method == "urlopen" else None
    yield OutboundRequest(
        *call.place,
        url=call.argument(0, "url"),
        method="GET",
        timeout=timeout,
        timeout_given=timeout is not None,
        data=call.argument(1, "data") if call.method == "urlopen" else None,
        verify=call.keyword("context"),
    )


describe(library, OutboundRequest, ["urllib.request.Request"], url=Argument(0, "url"), timeout_given=True)
describe(
    library,
    OutboundRequest,
    ["socket.create_connection"],
    url=Argument(0, "address"),
    timeout=Argument(1, "timeout"),
    timeout_given=Given(1, "timeout"),
)
describe(
    library, OutboundRequest, ["socket.socket.connect"], url=Argument(0), client=RECEIVER, timeout_given=True
)
for _name in ("HTTPConnection", "HTTPSConnection"):
    describe(
        library,
        ClientCreation,
        [f"http.client.{_name}"],
        url=Argument(0, "host"),
        timeout=Argument(2, "timeout"),
        timeout_given=Given(2, "timeout"),
        managed=MANAGED,
    )
for _name, _kind in (("smtplib.SMTP", "mail"), ("smtplib.SMTP_SSL", "mail"), ("ftplib.FTP", "file-transfer")):
    describe(
        library,
        ClientCreation,
        [_name],
        kind=_kind,
        url=Argument(0, "host"),
        timeout=Argument(None, "timeout"),
        timeout_given=Given(None, "timeout"),
        managed=MANAGED,
    )
describe(
    library,
    EmailSend,
    ["smtplib.SMTP.sendmail"],
    message=Argument(2, "msg"),
    recipient=Argument(1, "to_addrs"),
)
describe(
    library,
    EmailSend,
    ["smtplib.SMTP.send_message"],
    message=Argument(0, "msg"),
    recipient=Argument(2, "to_addrs"),
)

_CLIENT = "httpx.AsyncClient"
describe(
    library,
    BlockingCall,
    "urllib.request.urlopen urllib.request.urlretrieve http.client.HTTPConnection.request "
    "http.client.HTTPConnection.getresponse xmlrpc.client.ServerProxy",
    kind="http",
    instead=f"await {_CLIENT}().get(...)",
)
describe(
    library,
    BlockingCall,
    [
        "socket.create_connection",
        *(f"socket.{name}" for name in ("gethostbyname", "getaddrinfo", "gethostbyaddr", "getfqdn")),
        *(
            f"socket.socket.{name}"
            for name in ("connect", "recv", "recvfrom", "send", "sendall", "accept", "makefile")
        ),
        *(
            f"ftplib.FTP.{name}"
            for name in ("connect", "login", "retrbinary", "storbinary", "retrlines", "nlst")
        ),
        "telnetlib.Telnet",
        "imaplib.IMAP4_SSL",
        "imaplib.IMAP4",
        "poplib.POP3_SSL",
    ],
    kind="network",
    instead="asyncio.open_connection(...) or await asyncio.to_thread(...)",
)
describe(
    library,
    BlockingCall,
    [
        "smtplib.SMTP",
        "smtplib.SMTP_SSL",
        *(
            f"smtplib.SMTP.{name}"
            for name in ("connect", "login", "starttls", "sendmail", "send_message", "ehlo")
        ),
    ],
    kind="network",
    instead="await aiosmtplib.send(...)",
)
describe(library, UnverifiedTls, "ssl._create_unverified_context ssl._create_stdlib_context")
