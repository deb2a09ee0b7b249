"""What a process opens once at start and closes at its end."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.database import create_engine, create_sessions
from app.settings import Settings


@dataclass(frozen=True)
class Resources:
    """Pools and clients, shared by all requests of the process."""

    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    redis: Redis
    breached_passwords: httpx.AsyncClient


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open everything, and close it in reverse order whatever happens."""
    async with AsyncExitStack() as stack:
        engine = create_engine(settings)
        stack.push_async_callback(engine.dispose)
        redis = Redis.from_url(
            settings.redis_url.get_secret_value(),
            decode_responses=True,
            socket_timeout=settings.redis_timeout_seconds,
            socket_connect_timeout=settings.redis_timeout_seconds,
        )
        stack.push_async_callback(redis.aclose)
        breached_passwords = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=str(settings.breached_passwords_url),
                timeout=settings.breached_passwords_timeout_seconds,
            )
        )
        yield Resources(settings, engine, create_sessions(engine), redis, breached_passwords)
