"""Counts what somebody does against limits. Free of the web: services and tasks may count what they like."""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from ..problem_details import TooManyRequests, Unavailable
from .rates import Limit, Outage, Rate
from .storage import Charge, Level, RateLimitStorage, StorageUnavailable

logger = logging.getLogger(__name__)

#: Seconds between two lines in the log about the same outage.
_QUIET = 10.0


@dataclass(frozen=True, slots=True)
class Spending:
    """One subject does something that a limit counts.

    Attributes:
        limit: what holds.
        subject: who does it, such as an address or an identifier. Only its digest leaves the process.
        cost: units, for operations that weigh more than others.
    """

    limit: Limit
    subject: str
    cost: int = 1


@dataclass(frozen=True, slots=True)
class PolicyLevel:
    """How one rate of a limit stands, as the fields of an answer tell it."""

    name: str
    rate: Rate
    level: Level


#: What this request was counted against; the middleware begins the list, and its answer tells it.
policy_levels: ContextVar[list[PolicyLevel] | None] = ContextVar("policy_levels", default=None)


class QuotaExceeded(TooManyRequests):
    """Too many requests; Retry-After says in how many seconds there is room again."""

    #: Of draft-ietf-httpapi-ratelimit-headers-11.
    type = "https://iana.org/assignments/http-problem-types#quota-exceeded"
    title = "Quota Exceeded"


class RateLimiter:
    """Counts spendings in a storage.

    Args:
        storage: where the counters are.
        key: makes the key of a counter of its parts.
    """

    def __init__(
        self, storage: RateLimitStorage, key: Callable[..., str] = lambda *parts: ":".join(parts)
    ) -> None:
        self._storage = storage
        self._key = key
        self._next_line = 0.0

    async def spend(self, *spendings: Spending) -> None:
        """Count all of them, or none if one has not enough left.

        Raises:
            QuotaExceeded: a limit is reached.
            Unavailable: the counters cannot be reached, and one of the limits does not let through uncounted.
        """
        charges = [charge for spending in spendings for charge in self._charges(spending)]
        try:
            levels = await self._storage.charge(charges)
        except StorageUnavailable as error:
            self._note_outage(error)
            if any(spending.limit.outage is Outage.CLOSED for spending in spendings):
                raise Unavailable("Please try again in a moment.", retry_after=2) from error
            return
        policies = [policy for spending in spendings for policy in _policies(spending.limit)]
        told = [
            PolicyLevel(name, charge.rate, level)
            for (name, advertised), charge, level in zip(policies, charges, levels, strict=True)
            if advertised
        ]
        request = policy_levels.get()
        if request is not None:
            request.extend(told)
        if not all(level.allowed for level in levels):
            self._refuse([name for name, _ in policies], levels)

    async def forget(self, limit: Limit, subject: str) -> None:
        """Begin anew for this subject, as after the right password. An outage leaves the count as it is."""
        try:
            await self._storage.forget([charge.key for charge in self._charges(Spending(limit, subject))])
        except StorageUnavailable as error:
            self._note_outage(error)

    def _charges(self, spending: Spending) -> list[Charge]:
        limit = spending.limit
        # A digest has one length, whatever a client calls itself, and no e-mail address lies about in Redis.
        text = f"{limit.counter or limit.name}\0{spending.subject}"
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return [
            Charge(self._key("rate", digest, str(rate.seconds)), rate, spending.cost) for rate in limit.rates
        ]

    def _refuse(self, names: Sequence[str], levels: Sequence[Level]) -> None:
        refused = [name for name, level in zip(names, levels, strict=True) if not level.allowed]
        wait = max(level.wait for level in levels if not level.allowed)
        logger.info("rate limit reached", extra={"policies": refused})
        raise QuotaExceeded(
            "Too many requests.",
            retry_after=math.ceil(wait),
            extensions={"violated-policies": list(refused)},
        )

    def _note_outage(self, error: Exception) -> None:
        now = time.monotonic()
        if now >= self._next_line:
            self._next_line = now + _QUIET
            logger.warning("rate limits cannot be counted", exc_info=error)


def _policies(limit: Limit) -> list[tuple[str, bool]]:
    """Return the name of each rate as callers see it: names of several rates must differ."""
    if len(limit.rates) == 1:
        return [(limit.name, limit.advertised)]
    return [(f"{limit.name}-{rate.seconds}", limit.advertised) for rate in limit.rates]
