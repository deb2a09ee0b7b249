"""How an operation asks for the resources of its process."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
from fastapi import Depends
from fastapi.requests import HTTPConnection
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from app.rate_limits import RateLimiter
from app.resources import Resources
from app.settings import Settings


async def get_resources(connection: HTTPConnection) -> Resources:
    """Return what the lifespan opened."""
    resources: Resources = connection.app.state.resources
    return resources


ResourcesDep = Annotated[Resources, Depends(get_resources)]


async def get_session(resources: ResourcesDep) -> AsyncIterator[AsyncSession]:
    """Yield the one session of a request.

    Closing it rolls back what no service committed: a service commits before it answers, never this function,
    which runs on after the response has left.
    """
    async with resources.sessions() as session:
        yield session


async def get_redis(resources: ResourcesDep) -> Redis:
    """Return the Redis client of the process."""
    return resources.redis


async def get_breached_passwords_client(resources: ResourcesDep) -> httpx.AsyncClient:
    """Return the client of the service that knows breached passwords."""
    return resources.breached_passwords


async def get_app_settings(resources: ResourcesDep) -> Settings:
    """Return the settings that the process was started with."""
    return resources.settings


SessionDep = Annotated[AsyncSession, Depends(get_session)]
RedisDep = Annotated[Redis, Depends(get_redis)]
BreachedPasswordsClientDep = Annotated[httpx.AsyncClient, Depends(get_breached_passwords_client)]
SettingsDep = Annotated[Settings, Depends(get_app_settings)]


async def get_rate_limiter(redis: RedisDep) -> RateLimiter:
    """Return the counter of attempts."""
    return RateLimiter(redis)


RateLimiterDep = Annotated[RateLimiter, Depends(get_rate_limiter)]
