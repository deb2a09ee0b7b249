"""Connects to checked addresses only.

The name is resolved once, every address it has is checked, and the socket is opened to one of these very addresses. Whoever
checks a name and lets a library resolve it again is open to DNS rebinding. The name itself stays the one of the pool, of the
`Host` header and of the certificate: were addresses written into URLs, a connection made for one name would serve another
name at the same address, whose certificate nobody has looked at.
"""

import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any

import anyio
import httpcore2

from .addresses import Address, AddressGuard

#: Returns every address of a host; OSError if it has none.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
SyncResolver = Callable[[str, int], Sequence[str]]

#: More addresses than this are not tried.
MAX_ADDRESSES = 4
_deadline: ContextVar[float | None] = ContextVar("outgoing_http_deadline", default=None)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver, on a thread."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def resolve_blocking(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def checked(addresses: Sequence[str], guard: AddressGuard) -> list[Address]:
    """Return the addresses to try, each once.

    Raises:
        AddressRefused: one of them may not be called. The others are not tried: a name with a private address among
            public ones is an attack or a mistake.
        httpcore2.ConnectError: there is none.
    """
    found = list(dict.fromkeys(ip_address(address) for address in addresses))
    if not found:
        raise httpcore2.ConnectError("the host has no address")
    for address in found:
        guard(address)
    return found[:MAX_ADDRESSES]


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Let no blocking read or write of this thread last beyond a time of the monotonic clock."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Opens sockets to checked addresses."""

    def __init__(self, guard: AddressGuard, resolver: Resolver = resolve) -> None:
        self._guard = guard
        self._resolve = resolver
        self._sockets = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first of the host's addresses that takes a connection."""
        try:
            with anyio.fail_after(timeout):
                addresses = checked(await self._resolve(host, port), self._guard)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout("the name was not resolved in time") from error
        except OSError as error:
            raise httpcore2.ConnectError("the name cannot be resolved") from error
        share = None if timeout is None else timeout / len(addresses)
        failure: Exception = httpcore2.ConnectError("no address was tried")
        for address in addresses:
            try:
                return await self._sockets.connect_tcp(
                    str(address), port, share, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await anyio.sleep(seconds)


class GuardedSyncBackend(httpcore2.NetworkBackend):
    """The same for workers, which block."""

    def __init__(self, guard: AddressGuard, resolver: SyncResolver = resolve_blocking) -> None:
        self._guard = guard
        self._resolve = resolver
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first of the host's addresses that takes a connection."""
        try:
            addresses = checked(self._resolve(host, port), self._guard)
        except OSError as error:
            raise httpcore2.ConnectError("the name cannot be resolved") from error
        share = None if timeout is None else timeout / len(addresses)
        failure: Exception = httpcore2.ConnectError("no address was tried")
        for address in addresses:
            try:
                stream = self._sockets.connect_tcp(
                    str(address), port, _within_deadline(share), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream)
        raise failure


class _TimedStream(httpcore2.NetworkStream):
    """A socket on which a host that sends one byte at a time cannot outlast the deadline of the call."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within_deadline(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _within_deadline(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, _within_deadline(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _within_deadline(timeout: float | None) -> float | None:
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the time for this call is over")
    return left if timeout is None else min(timeout, left)
