"""Limits that a route declares."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import Depends, HTTPException
from fastapi.requests import HTTPConnection

from ..problem_details import ServiceError
from ..service import principal_of
from .component import rate_limiting_of
from .limiter import RateLimiter, Spending
from .login import LoginLimits
from .rates import Limit, Outage

Subject = Callable[[HTTPConnection], str | None]


class limit:  # noqa: N801 - reads as a word: Depends(limit("10/minute", by="principal"))
    """A dependency that counts each request of a route.

    Args:
        rates: such as "10/minute"; all of them hold.
        by: who has a counter: each client (by its address), each principal, each tenant, or everyone together. A
            function of yours may return any text. Who has no principal or tenant, or None, counts by the address.
        name: limits of one name share their counters; without it, each operation counts for itself.
        fails: "open" lets requests through while the counters cannot be reached; "closed" refuses them, which
            belongs before passwords, codes, and whatever costs money.
        cost: units that a request takes.

    A principal has to be known before: that is so in a generated project, where the whole application authenticates.
    """

    def __init__(
        self,
        *rates: str,
        by: Literal["client", "principal", "tenant", "everyone"] | Subject = "client",
        name: str | None = None,
        fails: Literal["open", "closed"] = "open",
        cost: int = 1,
    ) -> None:
        if cost < 1:
            raise ValueError("a request costs at least 1")
        self._limit = Limit.of(name or "", *rates, outage=Outage(fails))
        self._by = by
        self._cost = cost

    async def __call__(self, connection: HTTPConnection) -> None:
        """Count this request.

        Raises:
            QuotaExceeded: the limit is reached.
            Unavailable: the counters cannot be reached, and the limit fails closed.
        """
        limiter = rate_limiting_of(connection).limiter
        try:
            await limiter.spend(Spending(self._named(connection), self._subject(connection), self._cost))
        except ServiceError as error:
            if ServiceError in connection.app.exception_handlers:
                raise
            # An application mounted below, which knows only the framework's own errors.
            raise HTTPException(error.status, error.detail, error.headers) from error

    def _named(self, connection: HTTPConnection) -> Limit:
        if self._limit.name:
            return self._limit
        endpoint = connection.scope.get("endpoint")
        name = getattr(endpoint, "__name__", "route")
        # The path of a route lacks the prefix of its router since FastAPI 0.137, so that versions would share it.
        counter = f"{getattr(endpoint, '__module__', '')}.{getattr(endpoint, '__qualname__', name)}"
        return Limit(name, self._limit.rates, self._limit.outage, f"{counter}/{self._by}")

    def _subject(self, connection: HTTPConnection) -> str:
        if self._by == "everyone":
            return "everyone"
        found = self._by(connection) if callable(self._by) else _known(self._by, connection)
        if found is not None:
            # The words keep a principal from ever sharing a counter with an address.
            return f"{self._by} {found}" if isinstance(self._by, str) else f"own {found}"
        return f"client {rate_limiting_of(connection).client_of(connection.scope)}"


def _known(by: str, connection: HTTPConnection) -> str | None:
    principal = principal_of(connection)
    if by == "client" or principal is None:
        return None
    found = principal.tenant_id if by == "tenant" else principal.id
    return str(found) if found is not None else None


async def get_rate_limiter(connection: HTTPConnection) -> RateLimiter:
    """Return the limiter, for limits whose subject stands in a body."""
    return rate_limiting_of(connection).limiter


async def get_login_limits(connection: HTTPConnection) -> LoginLimits:
    """Return the limits of attempts to sign in."""
    return rate_limiting_of(connection).login_limits


async def get_client_address(connection: HTTPConnection) -> str:
    """Return the address that the counters of this client go by: of IPv6, its network."""
    return rate_limiting_of(connection).client_of(connection.scope)


RateLimiterDep = Annotated[RateLimiter, Depends(get_rate_limiter)]
LoginLimitsDep = Annotated[LoginLimits, Depends(get_login_limits)]
ClientAddressDep = Annotated[str, Depends(get_client_address)]
