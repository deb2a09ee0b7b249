"""A cache that cannot give one caller the value of another, and that the service works without."""

from .cache import Cache, CacheStatistics
from .component import Caching, delete_in_worker
from .dependencies import CacheDep, get_cache
from .keys import CachedValue, CacheKey
from .memory_storage import MemoryCacheStorage
from .redis_storage import RedisCacheStorage
from .settings import CacheSettings
from .storage import CacheStorage, CacheUnavailable

__all__ = [
    "Cache",
    "CacheDep",
    "CacheKey",
    "CacheSettings",
    "CacheStatistics",
    "CacheStorage",
    "CacheUnavailable",
    "CachedValue",
    "Caching",
    "MemoryCacheStorage",
    "RedisCacheStorage",
    "delete_in_worker",
    "get_cache",
]
