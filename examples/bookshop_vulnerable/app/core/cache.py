"""The Redis client that the whole process shares; it connects with its first command."""

import redis

from app.core.config import settings

redis_client = redis.Redis.from_url(
    settings.redis_url,
    socket_timeout=settings.redis_timeout_seconds,
    socket_connect_timeout=settings.redis_timeout_seconds,
)
