"""Other caches of functions on coroutine functions, and those that are made for them."""

from functools import cache, cached_property

import aiocache
from async_lru import alru_cache
from cachetools import TTLCache, cached


@cache
async def rate() -> float:  # finding: cache-decorator-on-coroutine
    return 1.0


@cached(TTLCache(maxsize=10, ttl=60))
async def price() -> float:  # finding: cache-decorator-on-coroutine
    return 1.0


class Shop:
    @cached_property
    async def name(self) -> str:  # finding: cache-decorator-on-coroutine
        return "shop"


@alru_cache(maxsize=10)
async def kept() -> float:
    return 1.0


@aiocache.cached(ttl=60)
async def kept_in_redis() -> float:
    return 1.0


@cache
def settings() -> dict[str, str]:
    return {}
