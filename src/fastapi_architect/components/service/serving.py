"""Serves an application with uvicorn, and ends it so that nobody notices.

On SIGTERM a platform has decided to end the process, and its load balancers learn of it later: for a while they go on sending
requests. So the process first says that it is not ready, serves for some seconds what still comes, and only then lets go of
the port, finishes what is under way, and closes its components.
"""

import asyncio
import logging
import signal
import socket
import time
from contextlib import closing, suppress
from types import FrameType
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .draining import begin_draining, is_draining
from .header_deadline import with_header_deadline
from .settings import CommaSeparated, ComponentSettings

logger = logging.getLogger(__name__)

#: Seconds for what has been sent on connections that were accepted last to be read.
LAST_REQUESTS = 0.25


class ServeSettings(ComponentSettings):
    """SERVE_*: where the process listens, whom it believes, and how it ends."""

    model_config = SettingsConfigDict(env_prefix="SERVE_")

    #: In a container the address of all its interfaces, which is for the container's file to say.
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    #: Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. None, unless named.
    trusted_proxies: CommaSeparated = ()
    #: Seconds after SIGTERM for which it still serves and is not ready: as long as load balancers need to notice.
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0
    #: Seconds that requests under way have after that; then they are cancelled.
    shutdown_seconds: Annotated[int, Field(ge=1, le=3600)] = 25
    #: Seconds for the headers of a request.
    header_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    #: Seconds for which an idle connection is kept; longer than the load balancer in front keeps it.
    keep_alive_seconds: Annotated[int, Field(ge=0)] = 75
    #: Connections and requests at the same time; more get 503 at once.
    max_concurrency: Annotated[int, Field(ge=1)] = 1000


def serve(app: FastAPI, settings: ServeSettings) -> None:
    """Serve until a signal comes. One process; a platform starts as many as it needs.

    SIGTERM drains; a second one, and Ctrl+C, ends at once what is not under way.
    """
    config = uvicorn.Config(
        _CloseWhileDraining(app),
        host=settings.host,
        port=settings.port,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=settings.shutdown_seconds,
        timeout_keep_alive=settings.keep_alive_seconds,
        limit_concurrency=settings.max_concurrency,
        ws_max_size=1024 * 1024,
    )
    config.load()
    config.http_protocol_class = with_header_deadline(config.http_protocol_class, settings.header_seconds)
    _Server(config, app, settings.drain_seconds).run()


class _Server(uvicorn.Server):
    """Waits between the signal and the end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, drain_seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._drain_seconds = drain_seconds
        self._ends_at: float | None = None
        self._is_told = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal. Nothing is logged here: the signal may have come amid another record."""
        if sig == signal.SIGTERM and self._ends_at is None and not self.should_exit:
            self._ends_at = time.monotonic() + self._drain_seconds
            begin_draining(self._app)
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Look, ten times a second, whether it is time to end."""
        if self._ends_at is not None:
            if not self._is_told:
                self._is_told = True
                logger.info("draining", extra={"seconds": self._drain_seconds})
            if time.monotonic() >= self._ends_at:
                self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of the port first, and then of connections.

        What waits to be accepted would be reset with the port, and what was accepted a moment ago has sent a request that nobody
        has read yet: to uvicorn that connection is idle. Both are requests that clients have made, and both are answered.
        """
        ports = [each.dup() for server in self.servers for each in server.sockets]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for accepted in [connection for port in ports for connection in _last_of(port)]:
            await loop.connect_accepted_socket(self._protocol, accepted)
        await asyncio.sleep(LAST_REQUESTS)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        """Serve one connection, as uvicorn's own are."""
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


def _last_of(port: socket.socket) -> list[socket.socket]:
    """Accept what waits, and close the port in the same breath: nothing may come between."""
    found: list[socket.socket] = []
    port.setblocking(False)
    with closing(port), suppress(BlockingIOError):
        while True:
            found.append(port.accept()[0])
    return found


class _CloseWhileDraining:
    """Asks clients with every answer to connect elsewhere next time, once the process drains."""

    def __init__(self, app: FastAPI) -> None:
        self.application = app
        self.app: ASGIApp = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start" and is_draining(self.application):
                message.setdefault("headers", [])
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self.app(scope, receive, send_and_close)
