"""Redis: one pool a process, short timeouts, and a breaker, because nothing may hang on a helper."""

from .circuit_breaker import CircuitBreaker, CircuitState
from .client import CircuitOpen, GuardedRedis
from .component import RedisPool
from .dependencies import RedisDep, get_redis
from .settings import RedisSettings

__all__ = [
    "CircuitBreaker",
    "CircuitOpen",
    "CircuitState",
    "GuardedRedis",
    "RedisDep",
    "RedisPool",
    "RedisSettings",
    "get_redis",
]
