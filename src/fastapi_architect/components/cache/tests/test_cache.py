"""How often is it loaded, and may what is given be given?"""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from pydantic import BaseModel

from fastapi_architect.components.cache import (
    Cache,
    CachedValue,
    CacheSettings,
    CacheStorage,
    MemoryCacheStorage,
    RedisCacheStorage,
)
from fastapi_architect.components.problem_details import NotFound, Unavailable
from fastapi_architect.components.redis_pool import RedisPool
from fastapi_architect.components.service import Environment

pytestmark = pytest.mark.anyio

NUMBER = CachedValue("number", int, ttl=60)
BRIEF = CachedValue("brief", int, ttl=0.1, stale_for=60)
KEY = NUMBER.key(1, shared=True)
STALE_SOON = BRIEF.key(1, shared=True)


class Source:
    """Counts how often it is asked, and answers with that."""

    def __init__(self, seconds: float = 0) -> None:
        self.asked = 0
        self.seconds = seconds

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return number


async def begun(load: Source, times: int = 1) -> None:
    while load.asked < times:
        await asyncio.sleep(0.005)


def settings(**values: object) -> CacheSettings:
    return CacheSettings.model_validate({"environment": Environment.LOCAL, **values})


@pytest.fixture(params=["redis", "memory"])
async def storage(request: pytest.FixtureRequest, redis_pool: RedisPool) -> AsyncIterator[CacheStorage]:
    if request.param == "memory":
        yield MemoryCacheStorage()
        return
    yield RedisCacheStorage(redis_pool.client)
    await redis_pool.client.aclose()
    await redis_pool.client.connection_pool.disconnect()


@pytest.fixture
def cache(storage: CacheStorage) -> Cache:
    return Cache(storage, settings())


@pytest.fixture
def other_process(storage: CacheStorage) -> Cache:
    """A cache on the same storage that knows nothing of the first one's loads."""
    return Cache(storage, settings())


async def test_a_value_is_loaded_once(cache: Cache) -> None:
    load = Source()
    assert [await cache.get_or_load(KEY, load) for _ in range(3)] == [1, 1, 1]
    assert cache.statistics.hits == 2


async def test_two_hundred_at_once_on_a_cold_key_load_once(cache: Cache) -> None:
    load = Source(seconds=0.05)
    assert await asyncio.gather(*(cache.get_or_load(KEY, load) for _ in range(200))) == [1] * 200
    assert load.asked == 1


async def test_several_processes_at_once_load_once(storage: CacheStorage) -> None:
    load = Source(seconds=0.1)
    processes = [Cache(storage, settings()) for _ in range(4)]
    values = await asyncio.gather(*(each.get_or_load(KEY, load) for each in processes for _ in range(50)))
    assert values == [1] * 200
    assert load.asked == 1


async def test_what_others_get_is_not_the_same_object(cache: Cache) -> None:
    class Basket(BaseModel):
        items: list[str]

    async def load() -> Basket:
        await asyncio.sleep(0.02)
        return Basket(items=["book"])

    kind = CachedValue("basket", Basket, ttl=60)
    baskets = await asyncio.gather(*(cache.get_or_load(kind.key(shared=True), load) for _ in range(5)))
    baskets[0].items.append("somebody else's")
    assert [basket.items for basket in baskets[1:]] == [["book"]] * 4


async def test_the_one_who_loads_may_hang_up(cache: Cache) -> None:
    load = Source(seconds=5)
    first = asyncio.create_task(cache.get_or_load(KEY, load))
    await begun(load)
    others = [asyncio.create_task(cache.get_or_load(KEY, load)) for _ in range(10)]
    await asyncio.sleep(0.01)
    load.seconds = 0
    first.cancel()

    assert await asyncio.gather(*others) == [2] * 10
    assert load.asked == 2


async def test_a_process_that_died_while_loading_does_not_stop_the_others(storage: CacheStorage) -> None:
    # What a killed process leaves behind is its lock.
    await storage.acquire(KEY.name, None, None, "of the dead", 0.3)
    load = Source()
    began = time.monotonic()
    assert await Cache(storage, settings()).get_or_load(KEY, load) == 1
    assert time.monotonic() - began < 1


async def test_a_slow_load_elsewhere_is_not_waited_for_longer_than_agreed(storage: CacheStorage) -> None:
    await storage.acquire(KEY.name, None, None, "somebody slow", 60)
    cache, load = Cache(storage, settings(wait=0.1)), Source(seconds=0.01)
    began = time.monotonic()
    assert await asyncio.gather(*(cache.get_or_load(KEY, load) for _ in range(20)))
    assert time.monotonic() - began < 0.5


async def test_an_error_is_everybodys_and_is_not_kept(cache: Cache) -> None:
    asked = 0

    async def load() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.02)
        raise RuntimeError

    results = await asyncio.gather(*(cache.get_or_load(KEY, load) for _ in range(20)), return_exceptions=True)
    assert [type(result) for result in results] == [RuntimeError] * 20
    assert asked == 1
    assert await cache.get_or_load(KEY, Source()) == 1


async def test_while_one_loads_anew_the_others_get_the_old_value(cache: Cache, other_process: Cache) -> None:
    load = Source()
    await cache.get_or_load(STALE_SOON, load)
    await asyncio.sleep(0.12)
    goes_on = asyncio.Event()

    async def slow() -> int:
        number = await load()
        await goes_on.wait()
        return number

    one = asyncio.create_task(cache.get_or_load(STALE_SOON, slow))
    await begun(load, times=2)

    assert await asyncio.gather(*(cache.get_or_load(STALE_SOON, load) for _ in range(50))) == [1] * 50
    assert await other_process.get_or_load(STALE_SOON, load) == 1
    goes_on.set()
    assert await one == 2
    assert load.asked == 2


@pytest.mark.parametrize("error", [ConnectionError(), Unavailable("Later.", retry_after=1)])
async def test_a_stale_value_is_better_than_an_error(cache: Cache, error: Exception) -> None:
    await cache.get_or_load(STALE_SOON, Source())
    await asyncio.sleep(0.12)

    async def fail() -> int:
        raise error

    assert await cache.get_or_load(STALE_SOON, fail) == 1


async def test_what_is_gone_is_not_given_for_being_stale(cache: Cache) -> None:
    await cache.get_or_load(STALE_SOON, Source())
    await asyncio.sleep(0.12)

    async def gone() -> int:
        raise NotFound("It was deleted.")

    with pytest.raises(NotFound):
        await cache.get_or_load(STALE_SOON, gone)

    async def fail() -> int:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await cache.get_or_load(STALE_SOON, fail)


async def test_a_value_goes_when_its_time_is_over(cache: Cache) -> None:
    key = CachedValue("short", int, ttl=0.1).key(shared=True)
    load = Source()
    await cache.get_or_load(key, load)
    await asyncio.sleep(0.12)
    assert await cache.get_or_load(key, load) == 2


async def test_what_was_kept_together_does_not_expire_together(redis_pool: RedisPool) -> None:
    cache = Cache(RedisCacheStorage(redis_pool.client), settings(jitter=0.5))
    for number in range(30):
        await cache.get_or_load(NUMBER.key(number, shared=True), Source())
    lifetimes = [await redis_pool.client.pttl(key) for key in await redis_pool.client.keys("cache:*")]
    assert max(lifetimes) <= 60_000
    assert max(lifetimes) - min(lifetimes) > 10_000
    await redis_pool.client.aclose()


async def test_a_deleted_value_is_loaded_anew(cache: Cache) -> None:
    load = Source()
    await cache.get_or_load(KEY, load)
    await cache.delete(KEY)
    assert await cache.get_or_load(KEY, load) == 2


async def test_a_deletion_wins_over_a_load_that_began_before_it(cache: Cache) -> None:
    load = Source(seconds=0.1)
    old = asyncio.create_task(cache.get_or_load(KEY, load))
    await begun(load)
    await cache.delete(KEY)
    await old

    assert await cache.get_or_load(KEY, load) == 2


async def test_a_written_value_wins_over_a_load_that_began_before_it(cache: Cache) -> None:
    load = Source(seconds=0.1)
    old = asyncio.create_task(cache.get_or_load(KEY, load))
    await begun(load)
    await cache.put(KEY, 99)
    await old

    assert await cache.get(KEY) == 99


async def test_a_deletion_happens_after_an_error_too(cache: Cache) -> None:
    await cache.put(KEY, 1)
    with pytest.raises(ConnectionError):
        async with cache.deleting(KEY):
            raise ConnectionError("the answer to COMMIT was lost")
    assert await cache.get(KEY) is None


async def test_a_group_is_invalidated_in_one_step(cache: Cache) -> None:
    load = Source()
    keys = [NUMBER.key(number, shared=True, group=("numbers", "even")) for number in range(5)]
    other = NUMBER.key(1, shared=True, group=("numbers", "odd"))
    before = [await cache.get_or_load(key, load) for key in [*keys, other]]
    await cache.invalidate_group("numbers", "even")
    after = [await cache.get_or_load(key, load) for key in [*keys, other]]

    assert set(before[:5]).isdisjoint(after[:5])


async def test_a_group_that_redis_forgot_does_not_bring_old_values_back(redis_pool: RedisPool) -> None:
    cache = Cache(RedisCacheStorage(redis_pool.client), settings())
    key = NUMBER.key(1, shared=True, group=("numbers",))
    load = Source()
    await cache.get_or_load(key, load)
    await cache.invalidate_group("numbers")
    # Eviction takes what it likes, the group first perhaps.
    for each in await redis_pool.client.keys("cache:group:*"):
        await redis_pool.client.delete(each)
    assert await cache.get_or_load(key, load) == 2
    await redis_pool.client.aclose()


async def test_an_invalidation_wins_over_a_load_that_began_before_it(cache: Cache) -> None:
    key = NUMBER.key(1, shared=True, group=("numbers",))
    load = Source(seconds=0.1)
    old = asyncio.create_task(cache.get_or_load(key, load))
    await begun(load)
    await cache.invalidate_group("numbers")
    await old

    assert await cache.get_or_load(key, load) == 2


@pytest.mark.parametrize(("negative_ttl", "asked"), [(None, 2), (60, 1)])
async def test_that_there_is_none_may_be_kept(cache: Cache, negative_ttl: float | None, asked: int) -> None:
    kind: CachedValue[UUID | None] = CachedValue("none", UUID | None, ttl=60, negative_ttl=negative_ttl)  # type: ignore[arg-type]
    times = 0

    async def load() -> None:
        nonlocal times
        times += 1

    for _ in range(2):
        assert await cache.get_or_load(kind.key(shared=True), load) is None
    assert times == asked


async def test_a_value_that_is_too_large_is_given_and_not_kept(storage: CacheStorage) -> None:
    cache = Cache(storage, settings(max_bytes=100))
    kind = CachedValue("text", str, ttl=60)

    async def load() -> str:
        return "x" * 1000

    text = await cache.get_or_load(kind.key(shared=True), load)
    assert len(text) == 1000
    assert await cache.get(kind.key(shared=True)) is None


@pytest.mark.parametrize(
    "rubbish", [b"", b"\x80\x04\x95", b"0 0 \nnot json", b'9999999999.000 0 \n"text"', b"\n\n\n"]
)
async def test_rubbish_is_replaced(redis_pool: RedisPool, rubbish: bytes) -> None:
    cache = Cache(RedisCacheStorage(redis_pool.client), settings())
    await redis_pool.client.set(f"cache:{KEY.name}", rubbish)
    load = Source()
    assert [await cache.get_or_load(KEY, load) for _ in range(3)] == [1, 1, 1]
    await redis_pool.client.aclose()


async def test_nothing_is_unpickled(redis_pool: RedisPool) -> None:
    cache = Cache(RedisCacheStorage(redis_pool.client), settings())
    await cache.put(KEY, 42)
    assert redis_pool.sync_client.get(f"cache:{KEY.name}")[-3:] == b"\n42"  # type: ignore[index]
    await redis_pool.client.aclose()


async def test_memory_is_bounded() -> None:
    storage = MemoryCacheStorage(capacity=10)
    cache = Cache(storage, settings())
    for number in range(100):
        await cache.get_or_load(NUMBER.key(number, shared=True, group=("g", number)), Source())
    assert len(storage._values) == 10
    assert len(storage._generations) <= 12
    assert not storage._locks


async def test_rubbish_in_memory_is_replaced() -> None:
    storage = MemoryCacheStorage()
    await storage.write(KEY.name, b"rubbish", 60)
    cache, load = Cache(storage, settings()), Source()
    assert [await cache.get_or_load(KEY, load) for _ in range(2)] == [1, 1]
