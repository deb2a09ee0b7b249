"""Values in Redis: one round trip to find one, two more to load one."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from .storage import HEADER, CacheUnavailable, Lease, Stored

#: A group that nobody used for so long begins a new generation.
_GROUP_SECONDS = 30 * 86400

# A generation is random and never counted: a counter that Redis evicted would begin again at values that still lie there.
_GENERATION = """
local function generation(key, fresh, seconds)
  if not key then return '' end
  local known = redis.call('GET', key)
  if known then return known end
  redis.call('SET', key, fresh, 'EX', seconds)
  return fresh
end
"""
_READ = _GENERATION + "return {redis.call('GET', KEYS[1]), generation(KEYS[2], ARGV[1], ARGV[2])}"
_ACQUIRE = (
    _GENERATION
    + """
local now = generation(KEYS[3], ARGV[1], ARGV[2])
local data = redis.call('GET', KEYS[1])
if data and data ~= '' and (ARGV[3] == '' or string.sub(data, 1, #ARGV[3]) ~= ARGV[3]) then return {data, now, 0} end
local taken = redis.call('SET', KEYS[2], ARGV[4], 'NX', 'PX', ARGV[5])
return {data, now, taken and 1 or 0}
"""
)
_FILL = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisCacheStorage:
    """Values in Redis 6.2 or newer.

    Args:
        client: any client. The server may evict (`maxmemory-policy allkeys-lru`), so it is not the one of a queue.
        key: makes a key of its parts.
    """

    def __init__(self, client: Redis, key: Callable[..., str] = lambda *parts: ":".join(parts)) -> None:
        self._client = client
        self._key = key
        self._read = client.register_script(_READ)
        self._acquire = client.register_script(_ACQUIRE)
        self._fill = client.register_script(_FILL)
        self._release = client.register_script(_RELEASE)

    async def read(self, name: str, group: str | None) -> Stored:
        """Return what lies there."""
        with _translated():
            try:
                if group is None:
                    return Stored(await self._get(self._place(name)))
                keys = [self._place(name), self._place(group)]
                data, generation = await self._read(keys=keys, args=[_fresh(), _GROUP_SECONDS])
                return Stored(data, generation)
            except ResponseError as error:
                if "WRONGTYPE" not in str(error):
                    raise
                # Somebody used our key for something else. Left there, it would keep everybody loading for ever.
                await self._client.delete(*self.keys_of([name], [group] if group else []))
                return Stored(None)

    async def acquire(
        self, name: str, group: str | None, seen: bytes | None, token: str, seconds: float
    ) -> Lease:
        """Take the lock, unless somebody has it, or another envelope lies there by now."""
        keys = [self._place(name), self._lock(name)] + ([self._place(group)] if group else [])
        arguments: list[bytes | str | int] = [
            _fresh(),
            _GROUP_SECONDS,
            (seen or b"")[:HEADER],
            token,
            int(seconds * 1000),
        ]
        with _translated():
            data, generation, taken = await self._acquire(keys=keys, args=arguments)
        return Lease(Stored(data, generation or b""), bool(taken))

    async def fill(self, name: str, token: str, data: bytes | None, seconds: float) -> bool:
        """Put the data there, if the lock is still held."""
        arguments: list[bytes | str | int] = [token, data or b"", max(1, int(seconds * 1000))]
        with _translated():
            return bool(await self._fill(keys=[self._place(name), self._lock(name)], args=arguments))

    async def release(self, name: str, token: str) -> None:
        """Give the lock back, if it is still held."""
        with _translated():
            await self._release(keys=[self._lock(name)], args=[token])

    async def write(self, name: str, data: bytes, seconds: float) -> None:
        """Put the data there, and take the lock away."""
        with _translated():
            async with self._client.pipeline() as pipeline:
                pipeline.set(self._place(name), data, px=max(1, int(seconds * 1000)))
                pipeline.delete(self._lock(name))
                await pipeline.execute()

    async def generation(self, group: str) -> bytes:
        """Return the generation of a group."""
        return (await self.read("", group)).generation

    async def delete(self, names: Sequence[str], groups: Sequence[str]) -> None:
        """Empty the places, take their locks, and begin new generations."""
        with _translated():
            await self._client.delete(*self.keys_of(names, groups))

    def keys_of(self, names: Sequence[str], groups: Sequence[str]) -> list[str]:
        """Return the keys whose deletion invalidates all this, for workers with a client of their own."""
        keys = [key for name in names for key in (self._place(name), self._lock(name))]
        return keys + [self._place(group) for group in groups]

    async def _get(self, key: str) -> bytes | None:
        data = await self._client.get(key)
        return data.encode() if isinstance(data, str) else data

    def _place(self, name: str) -> str:
        return self._key("cache", name)

    def _lock(self, name: str) -> str:
        return self._key("cache", name, "lock")


def _fresh() -> str:
    return secrets.token_hex(8)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise CacheUnavailable from error
