"""Counters in Redis, shared by all processes: one round trip however many limits hold."""

from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from .storage import SLICES, Charge, Level, StorageUnavailable

# The clock is that of Redis, so that processes on several hosts agree. A hash holds a window as slices: its size does not
# grow with the limit. One script, because a check in one command and a count in another let parallel requests through.
_CHARGE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slices = tonumber(ARGV[1])
local allowed = true
local levels, stale = {}, {}

for i, key in ipairs(KEYS) do
  local limit = tonumber(ARGV[i * 3 - 1])
  local window = tonumber(ARGV[i * 3])
  local cost = tonumber(ARGV[i * 3 + 1])
  local width = window / slices
  local current = math.floor(now / width)
  local spent, kept = 0, {}
  stale[i] = {}
  local fields = redis.call('HGETALL', key)
  for j = 1, #fields, 2 do
    local slice = tonumber(fields[j])
    if slice < current - slices then
      table.insert(stale[i], fields[j])
    else
      spent = spent + tonumber(fields[j + 1])
      table.insert(kept, {slice, tonumber(fields[j + 1])})
    end
  end
  table.sort(kept, function(a, b) return a[1] < b[1] end)
  local enough = spent + cost <= limit
  local wait = 0
  local freed = 0
  for _, entry in ipairs(kept) do
    freed = freed + entry[2]
    wait = (entry[1] + 1 + slices) * width - now
    if enough or spent - freed + cost <= limit then break end
  end
  if cost > limit or (#kept == 0 and enough) then wait = window end
  allowed = allowed and enough
  levels[i] = {enough and 1 or 0, limit - spent, math.ceil(wait)}
end

if allowed then
  for i, key in ipairs(KEYS) do
    local window = tonumber(ARGV[i * 3])
    local cost = tonumber(ARGV[i * 3 + 1])
    local width = window / slices
    if #stale[i] > 0 then redis.call('HDEL', key, unpack(stale[i])) end
    redis.call('HINCRBY', key, string.format('%.0f', math.floor(now / width)), cost)
    redis.call('PEXPIRE', key, math.ceil(window + 2 * width))
    levels[i][2] = levels[i][2] - cost
  end
end
return levels
"""


class RedisRateLimitStorage:
    """Counters in Redis (6.2 or newer), one hash for each limit and subject.

    Args:
        client: any client; a script runs on one server, so that a cluster needs keys with one hash tag.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._charge = client.register_script(_CHARGE)

    async def charge(self, charges: Sequence[Charge]) -> list[Level]:
        """Take all charges or none, in one step that nothing can come between."""
        arguments: list[str | int] = [SLICES]
        for charge in charges:
            arguments += [charge.rate.amount, charge.rate.seconds * 1000, charge.cost]
        try:
            levels = await self._charge(keys=[charge.key for charge in charges], args=arguments)
        except (RedisError, OSError) as error:
            raise StorageUnavailable from error
        return [
            Level(allowed=bool(allowed), remaining=max(0, remaining), wait=wait / 1000)
            for allowed, remaining, wait in levels
        ]

    async def forget(self, keys: Sequence[str]) -> None:
        """Delete the counters."""
        try:
            await self._client.delete(*keys)
        except (RedisError, OSError) as error:
            raise StorageUnavailable from error
