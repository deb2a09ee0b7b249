"""How often somebody may try something, counted in Redis for all processes together."""

import hashlib
import logging
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.errors import TooManyRequests, Unavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Allowance:
    """So many attempts in so many seconds."""

    name: str
    attempts: int
    seconds: int
    #: What happens when Redis is down: a guard of credentials refuses, a guard of convenience lets through.
    required: bool = True


class RateLimiter:
    """Counts attempts in fixed windows."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def spend(self, allowance: Allowance, subject: str) -> None:
        """Count one attempt of the subject (an address, an e-mail address, a user).

        Raises:
            TooManyRequests: the allowance is spent.
            Unavailable: Redis is down and the allowance is required.
        """
        try:
            spent = await self._count(allowance, subject)
        except RedisError as error:
            if allowance.required:
                logger.exception("rate limit cannot be checked", extra={"allowance": allowance.name})
                raise Unavailable("Please try again in a moment.", retry_after=5) from error
            logger.warning("rate limit not enforced", extra={"allowance": allowance.name}, exc_info=True)
            return
        if spent > allowance.attempts:
            logger.warning("rate limit exceeded", extra={"allowance": allowance.name})
            raise TooManyRequests("Too many attempts.", retry_after=allowance.seconds)

    async def _count(self, allowance: Allowance, subject: str) -> int:
        digest = hashlib.sha256(subject.encode()).hexdigest()
        counter = f"bookshop:rate:{allowance.name}:{digest}"
        # In one transaction: a counter whose expiry got lost would lock its subject out for ever.
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(counter, 0, ex=allowance.seconds, nx=True)
            pipeline.incr(counter)
            _, spent = await pipeline.execute()
        return int(spent)
