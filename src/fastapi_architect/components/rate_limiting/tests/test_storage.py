"""Counters count the same in Redis and in memory."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from fastapi_architect.components.rate_limiting import (
    MemoryRateLimitStorage,
    Rate,
    RateLimitStorage,
    RedisRateLimitStorage,
)
from fastapi_architect.components.rate_limiting.storage import Charge, StorageUnavailable
from fastapi_architect.components.redis_pool import RedisPool

pytestmark = pytest.mark.anyio
TEN_A_MINUTE = Rate(10, 60)


@pytest.fixture(params=["redis", "memory"])
async def storage(request: pytest.FixtureRequest, redis_pool: RedisPool) -> AsyncIterator[RateLimitStorage]:
    if request.param == "memory":
        yield MemoryRateLimitStorage()
        return
    async with aclosing(redis_pool.client) as client:
        yield RedisRateLimitStorage(client)


async def allowed(storage: RateLimitStorage, *charges: Charge) -> bool:
    return all(level.allowed for level in await storage.charge(charges))


async def test_it_counts_down_and_then_refuses(storage: RateLimitStorage) -> None:
    charge = Charge("key", TEN_A_MINUTE)
    levels = [(await storage.charge([charge]))[0] for _ in range(12)]

    assert [level.allowed for level in levels] == [True] * 10 + [False] * 2
    assert [level.remaining for level in levels] == [*range(9, -1, -1), 0, 0]
    assert all(0 < level.wait <= 63 for level in levels)


async def test_parallel_charges_do_not_pass_each_other(storage: RateLimitStorage) -> None:
    answers = await asyncio.gather(*(allowed(storage, Charge("key", TEN_A_MINUTE)) for _ in range(100)))

    assert sum(answers) == 10


async def test_no_window_holds_more_than_the_limit_wherever_it_begins(storage: RateLimitStorage) -> None:
    rate = Rate(5, 1)
    recent: deque[float] = deque()
    passed = 0
    end = time.monotonic() + 3.2
    while time.monotonic() < end:
        before = time.monotonic()
        if await allowed(storage, Charge("key", rate)):
            passed += 1
            after = time.monotonic()
            while recent and recent[0] <= after - 1:
                recent.popleft()
            recent.append(before)
            assert len(recent) <= 5
        await asyncio.sleep(0.01)
    assert passed >= 14


async def test_there_is_room_again_when_it_says_so(storage: RateLimitStorage) -> None:
    charge = Charge("key", Rate(2, 1))
    while (level := (await storage.charge([charge]))[0]).allowed:
        pass
    await asyncio.sleep(level.wait + 0.01)

    assert await allowed(storage, charge)


async def test_of_several_limits_all_are_charged_or_none(storage: RateLimitStorage) -> None:
    wide, narrow = Charge("wide", TEN_A_MINUTE), Charge("narrow", Rate(1, 60))
    assert await allowed(storage, wide, narrow)
    assert not await allowed(storage, wide, narrow)

    levels = await storage.charge([wide])

    assert levels[0].remaining == 8


async def test_operations_may_cost_more(storage: RateLimitStorage) -> None:
    assert await allowed(storage, Charge("key", TEN_A_MINUTE, cost=8))
    assert not await allowed(storage, Charge("key", TEN_A_MINUTE, cost=3))
    assert await allowed(storage, Charge("key", TEN_A_MINUTE, cost=2))


async def test_what_costs_more_than_the_limit_never_passes(storage: RateLimitStorage) -> None:
    level = (await storage.charge([Charge("key", TEN_A_MINUTE, cost=11)]))[0]

    assert not level.allowed
    assert level.wait == 60


async def test_a_forgotten_counter_begins_anew(storage: RateLimitStorage) -> None:
    charge = Charge("key", Rate(1, 60))
    assert await allowed(storage, charge)
    await storage.forget(["key"])

    assert await allowed(storage, charge)


async def test_every_counter_in_redis_expires(redis_pool: RedisPool) -> None:
    storage = RedisRateLimitStorage(redis_pool.client)
    for _ in range(12):
        await storage.charge([Charge("key", TEN_A_MINUTE)])

    assert 0 < await redis_pool.client.pttl("key") <= 66_000
    await redis_pool.client.aclose()


async def test_the_size_of_a_counter_does_not_grow_with_the_limit(redis_pool: RedisPool) -> None:
    storage = RedisRateLimitStorage(redis_pool.client)
    end = time.monotonic() + 2.2
    while time.monotonic() < end:
        await storage.charge([Charge("key", Rate(1_000_000, 1))])

    assert 2 < await redis_pool.client.hlen("key") <= 22
    await redis_pool.client.aclose()


async def test_a_key_that_is_no_counter_is_an_outage(redis_pool: RedisPool) -> None:
    await redis_pool.client.set("key", "text")
    with pytest.raises(StorageUnavailable):
        await RedisRateLimitStorage(redis_pool.client).charge([Charge("key", TEN_A_MINUTE)])
    await redis_pool.client.aclose()


async def test_many_addresses_do_not_fill_the_memory() -> None:
    storage = MemoryRateLimitStorage(capacity=100)
    for number in range(1000):
        await storage.charge([Charge(str(number), TEN_A_MINUTE)])

    assert len(storage._counters) == 100
