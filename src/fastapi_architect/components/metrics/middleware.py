"""Pure ASGI: counts and times requests by the template of their route."""

import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..service import RouteTemplates

#: One label for everything that no route took: strangers choose paths and methods, and each new label costs memory for ever.
UNMATCHED = "unmatched"
OTHER_METHOD = "OTHER"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class RequestNumbers:
    """The series of requests in one registry."""

    def __init__(self, registry: CollectorRegistry, buckets: Sequence[float] = SECONDS) -> None:
        self.requests = Counter(
            "http_requests", "Requests that were answered.", ("method", "route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "http_request_seconds",
            "Time from the headers of a request to the end of its answer.",
            ("method", "route"),
            buckets=buckets,
            registry=registry,
        )
        self.in_progress = Gauge("http_requests_in_progress", "Requests under way.", registry=registry)
        self.websockets = Gauge("websockets_open", "Websockets that are open.", registry=registry)


class MetricsMiddleware:
    """Notes how each request ended."""

    def __init__(self, app: ASGIApp, numbers: RequestNumbers, templates: RouteTemplates) -> None:
        self.app = app
        self.numbers = numbers
        self.templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            with self.numbers.websockets.track_inprogress():
                await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._count(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
        started = time.perf_counter()
        # Nothing sent and nothing raised but a cancellation: the client went away.
        status = 499

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with self.numbers.in_progress.track_inprogress():
                await self.app(scope, receive, send_and_note)
        except Exception:
            status = 500
            raise
        finally:
            route = self.templates.of(scope) or UNMATCHED
            self.numbers.requests.labels(method, route, str(status)).inc()
            self.numbers.seconds.labels(method, route).observe(time.perf_counter() - started)
