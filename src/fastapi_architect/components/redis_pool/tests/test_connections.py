"""A pool outlives the event loop that it was used in first."""

import asyncio

from fastapi_architect.components.redis_pool import RedisPool


def test_another_event_loop_gets_connections_of_its_own(redis_pool: RedisPool) -> None:
    async def count() -> int:
        # More at once than a free lock allows: the pool's own lock belongs to a loop, too.
        answers = await asyncio.gather(*(redis_pool.client.incr("count") for _ in range(60)))
        return max(answers)

    assert asyncio.run(count()) == 60
    assert asyncio.run(count()) == 120
