"""Counters in this process: for one process, for tests, for development without Redis."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from .storage import SLICES, Charge, Level

#: Slice numbers and what was spent in them, oldest first.
Slices = dict[int, int]


class MemoryRateLimitStorage:
    """Counters in this process. Several processes count apart, and so let through several times as much.

    Args:
        capacity: how many counters are kept; the one that was unused for longest goes first, so that strangers with
            many addresses cannot fill the memory.
        clock: seconds that never go back.
    """

    def __init__(self, capacity: int = 100_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity
        self._clock = clock
        self._counters: OrderedDict[str, Slices] = OrderedDict()

    async def charge(self, charges: Sequence[Charge]) -> list[Level]:
        """Take all charges or none; nothing is awaited in between."""
        now = self._clock()
        levels = [self._level(charge, now) for charge in charges]
        if not all(level.allowed for level in levels):
            return levels
        for charge in charges:
            self._take(charge, now)
        return [
            Level(allowed=True, remaining=level.remaining - charge.cost, wait=level.wait)
            for level, charge in zip(levels, charges, strict=True)
        ]

    async def forget(self, keys: Sequence[str]) -> None:
        """Delete the counters."""
        for key in keys:
            self._counters.pop(key, None)

    def _level(self, charge: Charge, now: float) -> Level:
        width = charge.rate.seconds / SLICES
        counter = self._counters.get(charge.key, {})
        for stale in [number for number in counter if number < now // width - SLICES]:
            del counter[stale]
        spent = sum(counter.values())
        left = charge.rate.amount - spent
        allowed = charge.cost <= left
        return Level(allowed, max(0, left), _wait(charge, counter, spent, now, allowed=allowed))

    def _take(self, charge: Charge, now: float) -> None:
        counter = self._counters.setdefault(charge.key, {})
        number = int(now // (charge.rate.seconds / SLICES))
        counter[number] = counter.get(number, 0) + charge.cost
        self._counters.move_to_end(charge.key)
        if len(self._counters) > self._capacity:
            self._counters.popitem(last=False)


def _wait(charge: Charge, counter: Slices, spent: int, now: float, *, allowed: bool) -> float:
    width = charge.rate.seconds / SLICES
    freed = 0
    if charge.cost <= charge.rate.amount:
        for number, amount in counter.items():
            freed += amount
            if allowed or spent - freed + charge.cost <= charge.rate.amount:
                return (number + 1 + SLICES) * width - now
    return float(charge.rate.seconds)
