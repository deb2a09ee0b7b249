"""Gives the service a cache."""

from typing import Any

from fastapi import FastAPI

from ..redis_pool import RedisPool
from ..service import Component, installed
from .cache import Cache
from .keys import CacheKey, Part, group_name
from .memory_storage import MemoryCacheStorage
from .redis_storage import RedisCacheStorage
from .settings import CacheSettings
from .storage import CacheStorage


class Caching(Component):
    """A cache in Redis, or in this process.

    Args:
        settings: where values are kept, and how long to wait.
        storage: another place than the settings name.
    """

    def __init__(self, settings: CacheSettings, storage: CacheStorage | None = None) -> None:
        self.settings = settings
        self._storage = storage
        self.cache: Cache

    def install(self, app: FastAPI) -> None:
        """Connect to the pool of the process, where values are kept in Redis."""
        storage = self._storage
        if storage is None and self.settings.storage == "memory":
            storage = MemoryCacheStorage()
        if storage is None:
            pool = installed(app, RedisPool)
            storage = RedisCacheStorage(pool.client, pool.key)
        self.cache = Cache(storage, self.settings)


def delete_in_worker(
    pool: RedisPool, *keys: CacheKey[Any], groups: tuple[tuple[Part, ...], ...] = ()
) -> None:
    """Forget values from a worker, which is synchronous and has no application.

    Raises:
        redis.RedisError: Redis cannot be reached; the task is to be tried again.
    """
    storage = RedisCacheStorage(pool.client, pool.key)
    names = storage.keys_of([key.name for key in keys], [group_name(*group) for group in groups])
    pool.sync_client.delete(*names)
