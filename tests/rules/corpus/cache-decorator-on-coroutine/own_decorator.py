"""A decorator of the project has the same name and knows coroutines."""

from collections.abc import Awaitable, Callable
from functools import wraps


def cache(function: Callable[[], Awaitable[float]]) -> Callable[[], Awaitable[float]]:
    kept: list[float] = []

    @wraps(function)
    async def wrapper() -> float:
        if not kept:
            kept.append(await function())
        return kept[0]

    return wrapper


@cache
async def rate() -> float:
    return 1.0
