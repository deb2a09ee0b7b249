"""What a worker process opens on first use and closes at its end.

Celery forks: nothing here connects before the fork, and no connection of the API is shared.
"""

from functools import lru_cache

import httpx
from celery.signals import worker_process_shutdown
from redis import Redis
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from app.settings import get_settings


@lru_cache
def get_engine() -> Engine:
    """Return the engine of this worker process; a process runs one task at a time."""
    return create_engine(
        get_settings().database_url.get_secret_value(),
        pool_size=1,
        max_overflow=1,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "options": "-c statement_timeout=30000 -c lock_timeout=5000"},
    )


@lru_cache
def get_sessions() -> sessionmaker[Session]:
    """Return the maker of sessions of this worker process."""
    return sessionmaker(get_engine(), expire_on_commit=False)


@lru_cache
def get_mail_client() -> httpx.Client:
    """Return the client of the mail service."""
    settings = get_settings()
    return httpx.Client(
        base_url=str(settings.mail_api_url),
        headers={"Authorization": f"Bearer {settings.mail_api_key.get_secret_value()}"},
        timeout=settings.mail_timeout_seconds,
    )


@lru_cache
def get_redis() -> Redis:
    """Return the Redis client of this worker process."""
    settings = get_settings()
    return Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_timeout=settings.redis_timeout_seconds,
        socket_connect_timeout=settings.redis_timeout_seconds,
    )


@worker_process_shutdown.connect
def close_resources(**_: object) -> None:
    """Close what was opened."""
    if get_mail_client.cache_info().currsize:
        get_mail_client().close()
    if get_redis.cache_info().currsize:
        get_redis().close()
    if get_engine.cache_info().currsize:
        get_engine().dispose()
    for cached in (get_mail_client, get_redis, get_sessions, get_engine):
        cached.cache_clear()
