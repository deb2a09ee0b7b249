"""How many sockets a principal has, over all processes."""

import logging
import time
from uuid import UUID

from redis.exceptions import RedisError

from ..redis_pool import RedisPool

logger = logging.getLogger(__name__)


class Places:
    """Counts sockets in Redis. Each is there until its process takes it away, or stops renewing it.

    Args:
        redis: the pool of the process.
        limit: of one principal.
        lease_seconds: how long a socket counts that nobody renews; its process may have crashed.
    """

    def __init__(self, redis: RedisPool, limit: int, lease_seconds: float) -> None:
        self._redis = redis
        self._limit = limit
        self._lease_seconds = lease_seconds

    async def take(self, principal_id: UUID, socket_id: str) -> bool:
        """Take a place; False if it was one too many, and has to be given back. Without Redis everybody has one."""
        key = self._key(principal_id)
        now = time.time()
        try:
            async with self._redis.client.pipeline(transaction=True) as pipeline:
                pipeline.zremrangebyscore(key, "-inf", now)
                pipeline.zadd(key, {socket_id: now + self._lease_seconds})
                # Counted after it was added: of two at once that want the last place, none slips through.
                pipeline.zcard(key)
                pipeline.expire(key, int(self._lease_seconds) + 1)
                count = (await pipeline.execute())[2]
        except (RedisError, OSError):
            logger.info("sockets are counted in this process only: redis does not answer")
            return True
        return bool(count <= self._limit)

    async def renew(self, principal_id: UUID, socket_id: str) -> None:
        """Keep a place."""
        key = self._key(principal_id)
        try:
            async with self._redis.client.pipeline(transaction=True) as pipeline:
                pipeline.zadd(key, {socket_id: time.time() + self._lease_seconds})
                pipeline.expire(key, int(self._lease_seconds) + 1)
                await pipeline.execute()
        except (RedisError, OSError):
            logger.debug("a place was not renewed: redis does not answer")

    async def give_back(self, principal_id: UUID, socket_id: str) -> None:
        """Give a place back."""
        try:
            await self._redis.client.zrem(self._key(principal_id), socket_id)
        except (RedisError, OSError):
            logger.debug("a place was not given back: it ends by itself")

    def _key(self, principal_id: UUID) -> str:
        return self._redis.key("websockets", "places", str(principal_id))
