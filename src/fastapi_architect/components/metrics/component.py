"""Counts requests, and shows the numbers to whom they are for."""

import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.exposition import choose_encoder
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..problem_details import ProblemResponse
from ..service import Component, ComponentSettings, GeneratedSecret, RouteTemplates, public
from .middleware import MetricsMiddleware, RequestNumbers

logger = logging.getLogger(__name__)


class MetricsSettings(ComponentSettings):
    """METRICS_*: to whom the numbers are shown; to nobody, unless one of the two ways is said."""

    model_config = SettingsConfigDict(env_prefix="METRICS_")

    #: A port of its own, which the platform opens to Prometheus and not to the public.
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    host: str = "127.0.0.1"
    #: Or `/metrics` of the API, for whoever sends this as a bearer token.
    token: GeneratedSecret | None = None


class Metrics(Component):
    """Numbers of one application.

    Numbers of your own belong to the same registry: `Counter("books_sold", "...", registry=metrics.registry)`.

    Args:
        settings: to whom they are shown.
        path: of the API, for whoever knows the token.
    """

    def __init__(self, settings: MetricsSettings, path: str = "/metrics") -> None:
        self.settings = settings
        self.path = path
        # Its own, because the library's is of the process: a second application there would fail.
        self.registry = CollectorRegistry()
        self.numbers = RequestNumbers(self.registry)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def install(self, app: FastAPI) -> None:
        """Add the middleware, and the route if somebody may ask for it."""
        app.add_middleware(MetricsMiddleware, numbers=self.numbers, templates=RouteTemplates(app))
        if self.settings.token is not None:
            # Of Starlette and first, so that neither a login everywhere nor a route for every path stands before it.
            app.router.routes.insert(0, Route(self.path, self._endpoint(), include_in_schema=False))

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Keep the port open while the service runs."""
        if self.settings.port is None:
            yield
            return
        server, thread = start_http_server(self.settings.port, self.settings.host, self.registry)
        logger.info("metrics are served", extra={"port": self.settings.port})
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _endpoint(self) -> Callable[[Request], Awaitable[Response]]:
        @public  # `access` has no say here: Prometheus has this token and no account
        async def show(request: Request) -> Response:
            if not self._is_known(request):
                return ProblemResponse(401, "A token is needed.", headers={"WWW-Authenticate": "Bearer"})
            encode, media_type = choose_encoder(request.headers.get("accept", ""))
            # Outside of the event loop: thousands of series take a while.
            text = await run_in_threadpool(encode, self.registry)
            return Response(text, media_type=media_type, headers={"Cache-Control": "no-store"})

        return show

    def _is_known(self, request: Request) -> bool:
        offered = request.headers.get("authorization", "")
        token = self.settings.token
        return token is not None and hmac.compare_digest(
            offered.encode(), f"Bearer {token.get_secret_value()}".encode()
        )
