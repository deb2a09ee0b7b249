"""Transports for httpx2 clients that call checked URLs at checked addresses, and no proxy."""

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager

import httpcore2
import httpx2

from .addresses import AddressGuard, public_address_only
from .connections import (
    GuardedBackend,
    GuardedSyncBackend,
    Resolver,
    SyncResolver,
    resolve,
    resolve_blocking,
)
from .urls import UrlRules

#: The most specific first.
_ERRORS: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
    (httpcore2.ConnectTimeout, httpx2.ConnectTimeout),
    (httpcore2.ReadTimeout, httpx2.ReadTimeout),
    (httpcore2.WriteTimeout, httpx2.WriteTimeout),
    (httpcore2.PoolTimeout, httpx2.PoolTimeout),
    (httpcore2.ConnectError, httpx2.ConnectError),
    (httpcore2.ReadError, httpx2.ReadError),
    (httpcore2.WriteError, httpx2.WriteError),
    (httpcore2.LocalProtocolError, httpx2.LocalProtocolError),
    (httpcore2.RemoteProtocolError, httpx2.RemoteProtocolError),
)


@contextmanager
def _as_httpx_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        for core, public in _ERRORS:
            if isinstance(error, core):
                raise public(str(error)) from error
        raise


class GuardedTransport(httpx2.AsyncBaseTransport):
    """For `httpx2.AsyncClient(transport=...)`, such as libraries want one.

    Args:
        rules: which URLs may be called; each request is held to them, also after a redirect.
        guard: which addresses may be called.
        resolver: asks for the addresses of a host.
        ssl_context: whom to trust; as httpx2 does, if None.
        max_connections: how many connections are open at once.
    """

    def __init__(
        self,
        rules: UrlRules | None = None,
        guard: AddressGuard = public_address_only,
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
        max_connections: int = 100,
    ) -> None:
        self._rules = rules or UrlRules()
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=max_connections,
            max_keepalive_connections=max_connections // 4,
            keepalive_expiry=30.0,
            network_backend=GuardedBackend(guard, resolver),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, once.

        Raises:
            UrlRefused: it does not go to a URL or to an address that may be called.
        """
        core = _to_core(request, self._rules)
        with _as_httpx_errors():
            answer = await self._pool.handle_async_request(core)
        if not isinstance(answer.stream, AsyncIterable):
            raise TypeError("the pool returned a blocking stream")
        return httpx2.Response(
            answer.status,
            headers=answer.headers,
            stream=_AsyncBody(answer.stream),
            extensions=answer.extensions,
            request=request,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class SyncGuardedTransport(httpx2.BaseTransport):
    """For `httpx2.Client(transport=...)` in workers; arguments as above."""

    def __init__(
        self,
        rules: UrlRules | None = None,
        guard: AddressGuard = public_address_only,
        resolver: SyncResolver = resolve_blocking,
        ssl_context: ssl.SSLContext | None = None,
        max_connections: int = 10,
    ) -> None:
        self._rules = rules or UrlRules()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=30.0,
            network_backend=GuardedSyncBackend(guard, resolver),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, once.

        Raises:
            UrlRefused: it does not go to a URL or to an address that may be called.
        """
        core = _to_core(request, self._rules)
        with _as_httpx_errors():
            answer = self._pool.handle_request(core)
        if not isinstance(answer.stream, Iterable):
            raise TypeError("the pool returned an asynchronous stream")
        return httpx2.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=answer.extensions,
            request=request,
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _AsyncBody(httpx2.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx_errors():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx_errors():
            yield from self._stream

    def close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


def _to_core(request: httpx2.Request, rules: UrlRules) -> httpcore2.Request:
    url = rules.check(str(request.url))
    return httpcore2.Request(
        method=request.method,
        url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )
