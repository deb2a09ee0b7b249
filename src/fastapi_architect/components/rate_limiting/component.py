"""Counts what clients ask, and refuses what is too much."""

from typing import Any

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from starlette.datastructures import Headers
from starlette.types import Scope

from ..problem_details import ServiceError
from ..problem_details.documentation import define_problem, problem_response
from ..problem_details.handlers import service_error
from ..redis_pool import RedisPool
from ..service import Component, amend_openapi, installed, operations_of
from .client_address import address_group, client_address
from .limiter import RateLimiter, Spending
from .login import LoginLimits
from .memory_storage import MemoryRateLimitStorage
from .middleware import RateLimitMiddleware
from .rates import Limit
from .redis_storage import RedisRateLimitStorage
from .settings import RateLimitSettings
from .storage import RateLimitStorage


class RateLimiting(Component):
    """A limit for each client over the whole application, and whatever limits routes declare.

    Args:
        settings: the limits, and whom to believe about addresses.
        storage: another place for the counters than the settings name.
    """

    def __init__(self, settings: RateLimitSettings, storage: RateLimitStorage | None = None) -> None:
        self.settings = settings
        self._storage = storage
        self._default = Limit.of("default", *settings.default.split(","))
        self._exact = frozenset(path for path in settings.exempt_paths if not path.endswith("*"))
        self._below = tuple(path[:-1] for path in settings.exempt_paths if path.endswith("*"))
        self.limiter: RateLimiter
        self.login_limits: LoginLimits

    def install(self, app: FastAPI) -> None:
        """Add the middleware, and an answer to refusals where the application has none yet."""
        self.limiter = self._limiter(app)
        self.login_limits = LoginLimits(self.limiter, self.settings)
        app.add_middleware(RateLimitMiddleware, rate_limiting=self)
        amend_openapi(app, _document)
        if ServiceError not in app.exception_handlers:
            app.add_exception_handler(ServiceError, service_error)  # type: ignore[arg-type]  # a websocket has no response

    async def count_request(self, scope: Scope) -> None:
        """Count a request against the limit of its client.

        Raises:
            QuotaExceeded: the limit is reached.
        """
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in self._exact or (self._below and path.startswith(self._below)):
            return
        await self.limiter.spend(Spending(self._default, self.client_of(scope)))

    def client_of(self, scope: Scope) -> str:
        """Return who asks, as the address that its counters go by."""
        return address_group(self.address_of(scope) or "unknown")

    def address_of(self, scope: Scope) -> str | None:
        """Return the address of the client, behind our own proxies."""
        peer = scope["client"][0] if scope.get("client") else None
        trusted = self.settings.trusted_proxies
        if not trusted and (peer is not None or not self.settings.trust_unix_socket):
            return peer
        if peer is None and not self.settings.trust_unix_socket:
            return None
        return client_address(peer, Headers(scope=scope).getlist("x-forwarded-for"), trusted)

    def _limiter(self, app: FastAPI) -> RateLimiter:
        if self._storage is not None:
            return RateLimiter(self._storage)
        if self.settings.storage == "memory":
            return RateLimiter(MemoryRateLimitStorage())
        pool = installed(app, RedisPool)
        return RateLimiter(RedisRateLimitStorage(pool.client), pool.key)


def _document(document: dict[str, Any]) -> None:
    """Say in the OpenAPI document that every operation may refuse, and when to come back."""
    seconds = {"schema": {"type": "integer", "minimum": 1}}
    response = problem_response(429, "Too many requests.")
    response["headers"] = {"Retry-After": {"description": "Seconds until there is room again.", **seconds}}
    for operation in operations_of(document):
        operation.setdefault("responses", {}).setdefault("429", response)
    define_problem(document)


def rate_limiting_of(connection: HTTPConnection) -> RateLimiting:
    """Return the component that counts this request.

    Raises:
        LookupError: the application has none.
    """
    found: RateLimiting | None = connection.scope.get("rate_limiting")
    return found if found is not None else installed(connection.app, RateLimiting)
