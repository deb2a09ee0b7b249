"""Values in this process: for one process, for tests, for development without Redis."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .storage import HEADER, Lease, Stored


@dataclass(frozen=True, slots=True)
class _Kept:
    data: bytes
    until: float


class MemoryCacheStorage:
    """Values in this process. A deletion in one process does not reach the others.

    Args:
        capacity: how many values are kept; the one that was unused for longest goes first.
        clock: seconds that never go back.
    """

    def __init__(self, capacity: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity
        self._clock = clock
        self._values: OrderedDict[str, _Kept] = OrderedDict()
        self._locks: dict[str, tuple[str, float]] = {}
        self._generations: dict[str, bytes] = {}

    async def read(self, name: str, group: str | None) -> Stored:
        """Return what lies there."""
        return Stored(self._get(name), self._generation(group))

    async def acquire(
        self, name: str, group: str | None, seen: bytes | None, token: str, seconds: float
    ) -> Lease:
        """Take the lock, unless somebody has it, or another envelope lies there by now."""
        stored = Stored(self._get(name), self._generation(group))
        changed = stored.data is not None and (seen is None or stored.data[:HEADER] != seen[:HEADER])
        holder = self._locks.get(name)
        if changed or (holder is not None and self._clock() < holder[1]):
            return Lease(stored, is_mine=False)
        self._locks[name] = (token, self._clock() + seconds)
        return Lease(stored, is_mine=True)

    async def fill(self, name: str, token: str, data: bytes | None, seconds: float) -> bool:
        """Put the data there, if the lock is still held."""
        holder = self._locks.get(name)
        if holder is None or holder[0] != token or self._clock() >= holder[1]:
            return False
        self._put(name, data, seconds)
        return True

    async def release(self, name: str, token: str) -> None:
        """Give the lock back, if it is still held."""
        if self._locks.get(name, ("", 0.0))[0] == token:
            del self._locks[name]

    async def write(self, name: str, data: bytes, seconds: float) -> None:
        """Put the data there, and take the lock away."""
        self._put(name, data, seconds)

    async def generation(self, group: str) -> bytes:
        """Return the generation of a group."""
        return self._generation(group)

    async def delete(self, names: Sequence[str], groups: Sequence[str]) -> None:
        """Empty the places, take their locks, and begin new generations."""
        for name in names:
            self._put(name, None, 0)
        for group in groups:
            self._generations.pop(group, None)

    def _put(self, name: str, data: bytes | None, seconds: float) -> None:
        self._locks.pop(name, None)
        self._values.pop(name, None)
        if data is not None:
            self._values[name] = _Kept(data, self._clock() + seconds)
            if len(self._values) > self._capacity:
                self._values.popitem(last=False)

    def _get(self, name: str) -> bytes | None:
        kept = self._values.get(name)
        if kept is None:
            return None
        if self._clock() >= kept.until:
            del self._values[name]
            return None
        self._values.move_to_end(name)
        return kept.data

    def _generation(self, group: str | None) -> bytes:
        if group is None:
            return b""
        if len(self._generations) > self._capacity:
            # Forgetting a generation invalidates its group, and nothing else.
            self._generations.clear()
        return self._generations.setdefault(group, secrets.token_hex(8).encode())
