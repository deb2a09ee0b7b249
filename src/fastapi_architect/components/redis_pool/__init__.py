"""Redis: one pool a process, short timeouts, and a breaker, because nothing may hang on a helper."""

from .component import RedisPool, RedisSettings
from .dependencies import RedisDep, get_redis

__all__ = ["RedisDep", "RedisPool", "RedisSettings", "get_redis"]
