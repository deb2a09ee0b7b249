"""What happens when Redis is gone, silent, or holds something else?"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from fastapi_architect.components.cache import (
    Cache,
    CachedValue,
    CacheSettings,
    RedisCacheStorage,
    delete_in_worker,
)
from fastapi_architect.components.redis_pool import RedisPool, RedisSettings
from fastapi_architect.components.service import Environment
from fastapi_architect.components.testing.fault_proxy import fault_proxy
from fastapi_architect.components.testing.servers import RedisServer, free_port

pytestmark = pytest.mark.anyio

NUMBER = CachedValue("number", int, ttl=60)
KEY = NUMBER.key(1, shared=True)


class Source:
    """Counts how often it is asked, and answers with that."""

    def __init__(self, seconds: float = 0) -> None:
        self.asked = 0
        self.seconds = seconds

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        await asyncio.sleep(self.seconds)
        return number


@asynccontextmanager
async def cache_at(port: int, timeout: float = 0.2) -> AsyncIterator[Cache]:
    url = SecretStr(f"redis://127.0.0.1:{port}/0")
    pool = RedisPool(
        RedisSettings(url=url, timeout=timeout, breaker_pause=0.1, environment=Environment.LOCAL)
    )
    yield Cache(RedisCacheStorage(pool.client, pool.key), CacheSettings(environment=Environment.LOCAL))
    await pool.client.aclose()
    await pool.client.connection_pool.disconnect()


async def test_without_redis_values_are_loaded_once_for_all_who_ask_together() -> None:
    async with cache_at(free_port()) as cache:
        load = Source(seconds=1.5)
        assert await asyncio.gather(*(cache.get_or_load(KEY, load) for _ in range(200))) == [1] * 200
        assert await cache.get_or_load(KEY, load) == 2


async def test_a_silent_redis_costs_one_timeout_a_load(redis_url: str) -> None:
    with fault_proxy(urlsplit(redis_url).port or 6379) as proxy:
        proxy.swallows = True
        async with cache_at(proxy.port) as cache:
            load = Source()
            began = time.monotonic()
            for _ in range(10):
                await cache.get_or_load(KEY, load)
            # Five timeouts open the breaker; the rest is free but for a probe each 0.1 s.
            assert time.monotonic() - began < 2.5
            assert load.asked == 10


async def test_redis_dies_while_a_value_is_loaded(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    try:
        async with cache_at(server.port) as cache:
            task = asyncio.create_task(cache.get_or_load(KEY, Source(seconds=0.2)))
            await asyncio.sleep(0.1)
            server.stop()
            assert await task == 1
    finally:
        server.stop()


async def test_a_deletion_during_an_outage_is_delivered_after_it(redis_url: str) -> None:
    port = urlsplit(redis_url).port or 6379
    with fault_proxy(port) as proxy:
        async with cache_at(proxy.port) as cache, cache_at(port) as elsewhere:
            load = Source()
            grouped = NUMBER.key(2, shared=True, group=("numbers",))
            assert await cache.get_or_load(KEY, load) == 1
            assert await cache.get_or_load(grouped, load) == 2
            proxy.forget_connections()
            proxy.swallows = True
            await cache.delete(KEY)
            await cache.invalidate_group("numbers")
            proxy.swallows = False
            await asyncio.sleep(0.15)

            assert await cache.get_or_load(KEY, load) == 3
            assert await cache.get_or_load(grouped, load) == 4
            assert await elsewhere.get_or_load(KEY, load) == 3


async def test_a_key_that_holds_something_else_is_replaced(redis_pool: RedisPool) -> None:
    cache = Cache(RedisCacheStorage(redis_pool.client), CacheSettings(environment=Environment.LOCAL))
    grouped = NUMBER.key(2, shared=True, group=("numbers",))
    for key in (KEY, grouped):
        await redis_pool.client.lpush(f"cache:{key.name}", "somebody else's list")
        load = Source()
        assert [await cache.get_or_load(key, load) for _ in range(3)] == [1, 1, 1]
    await redis_pool.client.aclose()


async def test_a_full_redis_only_keeps_less(redis_pool: RedisPool) -> None:
    client = redis_pool.client
    await client.config_set("maxmemory", "1")
    try:
        cache = Cache(RedisCacheStorage(client), CacheSettings(environment=Environment.LOCAL))
        load = Source()
        assert [await cache.get_or_load(KEY, load) for _ in range(3)] == [1, 2, 3]
    finally:
        await client.config_set("maxmemory", "0")
        await client.aclose()


_HOLDER = """
import asyncio, sys
from pydantic import SecretStr
from fastapi_architect.components.cache import Cache, CachedValue, CacheSettings, RedisCacheStorage
from fastapi_architect.components.redis_pool import RedisPool, RedisSettings

KEY = CachedValue("number", int, ttl=60).key(1, shared=True)

async def load():
    print("loading", flush=True)
    await asyncio.sleep(60)

async def main():
    pool = RedisPool(RedisSettings(url=SecretStr(sys.argv[1]), timeout=5))
    settings = CacheSettings(load_timeout=0.5)
    await Cache(RedisCacheStorage(pool.client, pool.key), settings).get_or_load(KEY, load)

asyncio.run(main())
"""


async def test_a_process_is_killed_while_it_holds_the_lock(redis_url: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", _HOLDER, redis_url], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"loading\n"
    async with cache_at(urlsplit(redis_url).port or 6379, timeout=5) as cache:
        load = Source(seconds=0.05)
        others = asyncio.gather(*(cache.get_or_load(KEY, load) for _ in range(50)))
        await asyncio.sleep(0.1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        began = time.monotonic()
        assert await others == [1] * 50
        assert time.monotonic() - began < 1.5
    process.stdout.close()


async def test_a_worker_deletes_what_the_service_keeps(redis_pool: RedisPool) -> None:
    cache = Cache(
        RedisCacheStorage(redis_pool.client, redis_pool.key), CacheSettings(environment=Environment.LOCAL)
    )
    grouped = NUMBER.key(2, shared=True, group=("numbers",))
    await cache.put(KEY, 1)
    await cache.put(grouped, 2)
    delete_in_worker(redis_pool, KEY, groups=(("numbers",),))
    assert await cache.get(KEY) is None
    assert await cache.get(grouped) is None
    await redis_pool.client.aclose()
