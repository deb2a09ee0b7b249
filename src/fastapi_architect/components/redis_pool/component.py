"""The connections of a process to Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict
from redis.asyncio import BlockingConnectionPool, Redis

from ..service import Component, ComponentSettings


def _require_redis(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("redis://", "rediss://")):
        raise ValueError("begins with redis:// or rediss://")
    return url


class RedisSettings(ComponentSettings):
    """REDIS_*: where Redis is and how long to wait for it."""

    model_config = SettingsConfigDict(env_prefix="REDIS_")

    #: Secret, because it may hold a password.
    url: Annotated[SecretStr, AfterValidator(_require_redis)]
    max_connections: Annotated[int, Field(ge=1, le=1000)] = 50
    #: Seconds for a connection, an answer, and a free place in the pool.
    timeout: Annotated[float, Field(gt=0, le=10)] = 0.2
    #: Put before every key, so that two services can share a server.
    prefix: Annotated[str, Field(pattern="^[a-z0-9_-]*$")] = ""


class RedisPool(Component):
    """One client for everything in the process; it connects on first use."""

    def __init__(self, settings: RedisSettings) -> None:
        self.settings = settings
        pool = BlockingConnectionPool.from_url(
            settings.url.get_secret_value(),
            max_connections=settings.max_connections,
            timeout=settings.timeout,
            socket_timeout=settings.timeout,
            socket_connect_timeout=settings.timeout,
            decode_responses=False,
        )
        self.client: Redis = Redis(connection_pool=pool)

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
