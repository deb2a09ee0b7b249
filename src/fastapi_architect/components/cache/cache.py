"""Finds values that were loaded before, and lets one caller load what is missing. Free of the web."""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import anyio
from pydantic import ValidationError

from ..problem_details import ServiceError
from .debts import Debts
from .envelope import seal, unseal
from .flights import Flight, Landing
from .keys import CacheKey, Part, group_name
from .settings import CacheSettings
from .storage import CacheStorage, CacheUnavailable, Lease, Stored

logger = logging.getLogger(__name__)
Value = TypeVar("Value")
Load = Callable[[], Awaitable[Value]]

#: Seconds between two looks at what another process loads.
_SHORTEST_LOOK, _LONGEST_LOOK = 0.01, 0.05
#: Seconds between two lines in the log about the same outage.
_QUIET = 10.0
_chance = random.SystemRandom()


@dataclass(slots=True)
class CacheStatistics:
    """What callers got since the process began: kept and fresh, kept and stale, loaded; and failures of the storage."""

    hits: int = 0
    stale: int = 0
    loads: int = 0
    outages: int = 0


@dataclass(frozen=True, slots=True)
class _Found(Generic[Value]):
    """A value that was kept, which may be None."""

    value: Value
    data: bytes
    is_fresh: bool


class Cache:
    """Values by key. Whatever happens to the storage, callers get their values; then they are loaded.

    Args:
        storage: where values are kept.
        settings: how long to wait, and for what.
    """

    def __init__(self, storage: CacheStorage, settings: CacheSettings) -> None:
        self._storage = storage
        self._settings = settings
        self._flights: dict[str, Flight] = {}
        self._debts = Debts(storage)
        self._next_line = 0.0
        self.statistics = CacheStatistics()

    async def get_or_load(self, key: CacheKey[Value], load: Load[Value]) -> Value:
        """Return the value of the key, loaded if need be by one caller for all.

        Args:
            key: where it lies, and who may see it.
            load: loads it. It runs in the task of the one who loads, and so may use the session of its request.

        Raises:
            Exception: whatever `load` raises. Where a stale value lies, it is given in place of any error but a refusal
                that speaks of the thing itself, such as NotFound.
        """
        stored = await self._read(key)
        found = self._found(key, stored)
        if found is not None and (found.is_fresh or key.name in self._flights):
            return self._give(found)
        deadline = time.monotonic() + self._settings.wait
        while (flight := self._flights.get(key.name)) is not None:
            if not await flight.lands_before(deadline) or flight.landing is Landing.UNSHARED:
                return await self._load(load)
            if flight.landing is Landing.LOADED:
                return key.kind.load(flight.data)
            if flight.error is not None:
                raise flight.error
        return await self._lead(key, load, stored, deadline)

    async def get(self, key: CacheKey[Value]) -> Value | None:
        """Return the value if it is kept and fresh."""
        found = self._found(key, await self._read(key))
        return self._give(found) if found is not None and found.is_fresh else None

    async def put(self, key: CacheKey[Value], value: Value) -> None:
        """Keep a value that was just written, after its transaction was committed.

        What others are loading at this moment may be older, and will not be kept. Of two writers, the later `put` wins,
        which need not be the later commit: where several write one thing, `delete` it.
        """
        try:
            await self._debts.pay()
            generation = await self._storage.generation(key.group) if key.group else b""
            sealed, seconds = self._sealed(key, key.kind.dump(value), value, generation)
            if sealed is None:
                await self._storage.delete([key.name], [])
            else:
                await self._storage.write(key.name, sealed, seconds)
        except CacheUnavailable as error:
            self._note_outage(error)
            self._debts.owe([key.name], [])

    async def delete(self, *keys: CacheKey[Any]) -> None:
        """Forget values, after the transaction that changed them was committed.

        While the storage cannot be reached, the deletion is owed: this process delivers it before it asks for anything.
        """
        await self._delete([key.name for key in keys], [])

    async def invalidate_group(self, *group: Part) -> None:
        """Forget every value whose key named this group, in one step however many there are."""
        await self._delete([], [group_name(*group)])

    @asynccontextmanager
    async def deleting(self, *keys: CacheKey[Any]) -> AsyncIterator[None]:
        """Forget values when the block ends, however it ends.

            async with cache.deleting(BOOK.key(book.id, shared=True)):
                await session.commit()

        After an error too, since a commit whose answer was lost may have happened; and though the caller hung up.
        """
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self.delete(*keys)

    async def _lead(
        self, key: CacheKey[Value], load: Load[Value], stored: Stored | None, deadline: float
    ) -> Value:
        flight = self._flights[key.name] = Flight()
        try:
            return await self._load_under_lock(key, load, stored, deadline, flight)
        except Exception as error:
            flight.fail(error)
            raise
        finally:
            del self._flights[key.name]
            flight.landed.set()

    async def _load_under_lock(
        self, key: CacheKey[Value], load: Load[Value], stored: Stored | None, deadline: float, flight: Flight
    ) -> Value:
        token = secrets.token_hex(16)
        lease = await self._acquire(key, stored, token)
        old = None
        while lease is not None:
            old = self._found(key, lease.stored)
            if lease.is_mine:
                break
            if old is not None:
                flight.bring(old.data)
                return self._give(old)
            if time.monotonic() >= deadline:
                lease = None
                break
            await asyncio.sleep(_chance.uniform(_SHORTEST_LOOK, _LONGEST_LOOK))
            lease = await self._acquire(key, lease.stored, token)
        try:
            value = await self._load(load)
        except Exception as error:
            if _is_news(error):
                await self._fill(key, token, lease, None, 0)
                raise
            await self._release(key, token, lease)
            if old is None:
                raise
            logger.warning(
                "loading failed; a stale value is given", extra={"kind": key.kind.name}, exc_info=True
            )
            flight.bring(old.data)
            return self._give(old)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._release(key, token, lease)
            raise
        data = key.kind.dump(value)
        flight.bring(data)
        if lease is not None:
            sealed, seconds = self._sealed(key, data, value, lease.stored.generation)
            await self._fill(key, token, lease, sealed, seconds)
        return value

    async def _load(self, load: Load[Value]) -> Value:
        self.statistics.loads += 1
        return await load()

    def _give(self, found: _Found[Value]) -> Value:
        self.statistics.hits += found.is_fresh
        self.statistics.stale += not found.is_fresh
        return found.value

    def _found(self, key: CacheKey[Value], stored: Stored | None) -> _Found[Value] | None:
        envelope = None if stored is None else unseal(stored, time.time())
        if envelope is None:
            return None
        try:
            return _Found(key.kind.load(envelope.data), envelope.data, envelope.is_fresh)
        except ValidationError:
            return None

    def _sealed(
        self, key: CacheKey[Value], data: bytes | None, value: Value, generation: bytes
    ) -> tuple[bytes | None, float]:
        """Return what is kept, and for how many seconds; nothing if it is not to be kept."""
        kind = key.kind
        ttl = kind.ttl if value is not None else kind.negative_ttl
        if data is None or ttl is None:
            return None, 0
        if len(data) > self._settings.max_bytes:
            logger.warning("a value is too large to be cached", extra={"kind": kind.name, "bytes": len(data)})
            return None, 0
        # Only ever shorter: a lifetime is a promise about how old a value may be.
        fresh = ttl * (1 - _chance.uniform(0, self._settings.jitter))
        return seal(data, fresh_until=time.time() + fresh, generation=generation), fresh + kind.stale_for

    async def _read(self, key: CacheKey[Any]) -> Stored | None:
        try:
            await self._debts.pay()
            return await self._storage.read(key.name, key.group)
        except CacheUnavailable as error:
            self._note_outage(error)
            return None

    async def _acquire(self, key: CacheKey[Any], stored: Stored | None, token: str) -> Lease | None:
        """Ask for the lock; None if there is nobody to ask, and so nothing to wait for."""
        if stored is None:
            return None
        try:
            return await self._storage.acquire(
                key.name, key.group, stored.data, token, self._settings.load_timeout
            )
        except CacheUnavailable as error:
            self._note_outage(error)
            return None

    async def _fill(
        self, key: CacheKey[Any], token: str, lease: Lease | None, sealed: bytes | None, seconds: float
    ) -> None:
        if lease is None:
            return
        try:
            await self._storage.fill(key.name, token, sealed, seconds)
        except CacheUnavailable as error:
            self._note_outage(error)

    async def _release(self, key: CacheKey[Any], token: str, lease: Lease | None) -> None:
        if lease is None:
            return
        try:
            await self._storage.release(key.name, token)
        except CacheUnavailable as error:
            self._note_outage(error)

    async def _delete(self, names: Sequence[str], groups: Sequence[str]) -> None:
        try:
            await self._debts.pay()
            await self._storage.delete(names, groups)
        except CacheUnavailable as error:
            self._note_outage(error)
            self._debts.owe(names, groups)

    def _note_outage(self, error: Exception) -> None:
        self.statistics.outages += 1
        now = time.monotonic()
        if now >= self._next_line:
            self._next_line = now + _QUIET
            logger.warning("the cache cannot be reached; values are loaded", exc_info=error)


def _is_news(error: Exception) -> bool:
    """Tell whether a refusal speaks of the thing itself, such as that it is gone, and not of who should tell."""
    return (
        isinstance(error, ServiceError)
        and error.status < 500
        and error.status != HTTPStatus.TOO_MANY_REQUESTS
    )
