"""The connections of a process to Redis."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

import redis
from fastapi import FastAPI
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ..service import Component
from .circuit_breaker import CircuitBreaker
from .client import UNANSWERED, GuardedRedis
from .connections import PoolOfOneLoop
from .settings import RedisSettings

logger = logging.getLogger(__name__)


class RedisPool(Component):
    """One client for everything in the process; it connects on first use."""

    def __init__(self, settings: RedisSettings) -> None:
        self.settings = settings
        self.breaker = CircuitBreaker(settings.breaker_failures, settings.breaker_pause)
        pool = PoolOfOneLoop.from_url(
            settings.url.get_secret_value(),
            max_connections=settings.max_connections,
            timeout=settings.timeout,
            socket_timeout=settings.timeout,
            socket_connect_timeout=settings.timeout,
            # A command is sent once: a second attempt doubles the wait, and INCR may have arrived at the first.
            # The pool itself reconnects a connection that the server closed while it was idle.
            retry=Retry(NoBackoff(), 0),
            # redis-py 8 would speak version 3, which costs a round trip more for each connection.
            protocol=2,
        )
        self.client = GuardedRedis(pool, self.breaker)

    @cached_property
    def sync_client(self) -> "redis.Redis":
        """A client for workers, which are synchronous; it connects on first use and has the same timeouts."""
        pool = redis.BlockingConnectionPool.from_url(
            self.settings.url.get_secret_value(),
            max_connections=self.settings.max_connections,
            timeout=self.settings.timeout,
            socket_timeout=self.settings.timeout,
            socket_connect_timeout=self.settings.timeout,
            protocol=2,
        )
        return redis.Redis(connection_pool=pool)

    def key(self, *parts: str) -> str:
        """Return the key of these parts, such as `shop:cache:books`."""
        return ":".join(part for part in (self.settings.prefix, *parts) if part)

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Close the connections at the end."""
        try:
            yield
        finally:
            await self.client.aclose()
            await self.client.connection_pool.disconnect()

    async def check(self) -> None:
        """Ask Redis for an answer. Where the service works without it, its silence is only logged.

        Raises:
            redis.RedisError: nobody answered, and REDIS_REQUIRED says that the service is not ready then.
        """
        try:
            await self.client.ping()
        except UNANSWERED:
            if self.settings.required:
                raise
            logger.warning("redis does not answer; the service goes on without it")
