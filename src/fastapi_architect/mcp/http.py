"""The server over streamable HTTP.

Traps
-----
* A page in the user's browser can send requests to this machine's own addresses, and with a name that it controls even read
  the answers (DNS rebinding): Host and Origin are compared with what clients call this machine.
* Every program of every user of a machine can connect to 127.0.0.1: where something may be written or run, a token is
  required there, too.
"""

from __future__ import annotations

import argparse
import hmac
import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import anyio
import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl

from fastapi_architect.mcp.server import server_for

HOST, PORT, MAX_PORT = "127.0.0.1", 8642, 65535
TOKEN = "ARCHITECT_MCP_TOKEN"
#: Shorter tokens can be guessed.
MIN_TOKEN = 16
MAX_REQUEST_BYTES = 1_000_000
MAX_SESSIONS = 32
_MAX_TOKEN_FILE = 4096

Refuse = Callable[[str], NoReturn]


class OneToken:
    """Knows the one token that clients send."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        """The client, when the token is right. How long that takes says nothing about it."""
        if not hmac.compare_digest(token.encode(), self._token):
            return None
        return AccessToken(token=token, client_id="architect", scopes=[])


def serve(given: argparse.Namespace, refuse: Refuse) -> int:
    """Serve until the process is interrupted.

    Args:
        given: options of the command.
        refuse: ends the command with a message that names the next step.
    """
    host = given.host or HOST
    token = _token(given.token_file, refuse)
    if token is None:
        _refuse_without_token(given, host, refuse)
    security = _security(host, given.allowed_host or (), refuse)
    listening = _listen(host, PORT if given.port is None else given.port, refuse)
    port = listening.getsockname()[1]
    server = server_for(
        given.root,
        writes=given.allow_writes,
        tests=given.allow_tests,
        token_verifier=OneToken(token) if token else None,
        auth=AuthSettings(
            issuer_url=AnyHttpUrl(f"http://{_bracketed(host)}:{port}"), resource_server_url=None
        )
        if token
        else None,
    )
    application = server.streamable_http_app(
        max_request_body_size=MAX_REQUEST_BYTES,
        max_sessions=MAX_SESSIONS,
        transport_security=security,
        host=host,
    )
    config = uvicorn.Config(
        application, log_level="warning", server_header=False, timeout_graceful_shutdown=2
    )
    said = f"Serving {given.root.resolve().name} at http://{_bracketed(host)}:{port}/mcp"
    anyio.run(lambda: _Server(config, said).serve(sockets=[listening]))
    return 0


class _Server(uvicorn.Server):
    """Says where it listens once it does, and once a signal ends it: one that came before would be lost or a traceback."""

    def __init__(self, config: uvicorn.Config, said: str) -> None:
        super().__init__(config)
        self._said = said

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            print(self._said, file=sys.stderr, flush=True)


def _token(file: Path | None, refuse: Refuse) -> str | None:
    if file is None:
        token = os.environ.get(TOKEN)
        source = TOKEN
    else:
        try:
            with file.open(encoding="utf-8") as opened:
                token = opened.read(_MAX_TOKEN_FILE).strip()
        except (OSError, UnicodeDecodeError) as error:
            refuse(f"--token-file: {file} cannot be read: {error}; write a token into it")
        source = f"--token-file: {file}"
    if token is None:
        return None
    if len(token) < MIN_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        refuse(
            f"{source} has to hold a token of at least {MIN_TOKEN} letters and digits; "
            'make one: python -c "import secrets; print(secrets.token_urlsafe())"'
        )
    return token


def _refuse_without_token(given: argparse.Namespace, host: str, refuse: Refuse) -> None:
    step = f"set {TOKEN} or --token-file to a token, which clients then send"
    if not _is_loopback(host):
        refuse(f"--host: others can connect to {host}, and would read your code; {step}")
    if given.allow_writes or given.allow_tests:
        option = "--allow-writes" if given.allow_writes else "--allow-tests"
        refuse(
            f"{option}: every program on this machine could connect and use it; {step}, or serve without --http"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int, refuse: Refuse) -> socket.socket:
    """A socket that listens."""
    if not 0 <= port <= MAX_PORT:
        refuse(f"--port: {port} is no port; name one up to {MAX_PORT}, or 0 for any")
    try:
        kind, protocol, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(kind, protocol, number)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(64)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        refuse(f"cannot listen at {host}, port {port}: {reason}; name another --host or --port")
    return listening


def _security(host: str, names: Sequence[str], refuse: Refuse) -> TransportSecuritySettings:
    """The names that Host and Origin may have."""
    known = [*names]
    if _is_loopback(host):
        known += ["127.0.0.1", "localhost", "[::1]"]
    if not _is_wildcard(host):
        known.append(_bracketed(host))
    elif not names:
        refuse(
            f"--host: {host} is every address of this machine; say what clients call it: --allowed-host NAME"
        )
    hosts = list(dict.fromkeys(known))
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[form for name in hosts for form in (name, f"{name}:*")],
        allowed_origins=[
            form
            for name in hosts
            for scheme in ("http", "https")
            for form in (f"{scheme}://{name}", f"{scheme}://{name}:*")
        ],
    )


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == ""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
