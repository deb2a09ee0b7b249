"""Limits of how often somebody may ask: for each client, principal, tenant and route."""

from .client_address import address_group, client_address
from .component import RateLimiting, rate_limiting_of
from .dependencies import ClientAddressDep, LoginLimitsDep, RateLimiterDep, limit
from .limiter import QuotaExceeded, RateLimiter, Spending
from .login import LoginLimits
from .memory_storage import MemoryRateLimitStorage
from .rates import Limit, Outage, Rate
from .redis_storage import RedisRateLimitStorage
from .settings import RateLimitSettings
from .storage import RateLimitStorage

__all__ = [
    "ClientAddressDep",
    "Limit",
    "LoginLimits",
    "LoginLimitsDep",
    "MemoryRateLimitStorage",
    "Outage",
    "QuotaExceeded",
    "Rate",
    "RateLimitSettings",
    "RateLimitStorage",
    "RateLimiter",
    "RateLimiterDep",
    "RateLimiting",
    "RedisRateLimitStorage",
    "Spending",
    "address_group",
    "client_address",
    "limit",
    "rate_limiting_of",
]
