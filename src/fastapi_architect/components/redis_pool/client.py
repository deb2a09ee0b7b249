"""A Redis client that asks the circuit breaker before every command and every pipeline."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from .circuit_breaker import CircuitBreaker

Answer = TypeVar("Answer")

#: Nobody answered. Any other error is an answer.
UNANSWERED = (RedisConnectionError, RedisTimeoutError, OSError)


class CircuitOpen(RedisConnectionError):
    """Redis did not answer lately, and this command was not sent. A ConnectionError, so that nobody handles it twice."""


class _Guard:
    """Runs commands under the breaker, and drops idle connections when it opens.

    After a failover the idle connections are dead without knowing it: each would cost one probe its timeout.
    """

    def __init__(self, breaker: CircuitBreaker, pool: ConnectionPool) -> None:
        self._breaker = breaker
        self._pool = pool

    async def run(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        breaker = self._breaker
        if not breaker.admits():
            raise CircuitOpen("Redis did not answer lately; it is asked again in a moment")
        is_probe = breaker.is_probing
        try:
            answer = await ask()
        except UNANSWERED:
            if breaker.failed(is_probe=is_probe):
                await self._pool.disconnect(inuse_connections=False)
            raise
        except Exception:
            breaker.succeeded(is_probe=is_probe)
            raise
        except BaseException:
            breaker.abandoned(is_probe=is_probe)
            raise
        breaker.succeeded(is_probe=is_probe)
        return answer


class GuardedPipeline(Pipeline):
    """A pipeline under the breaker."""

    guard: _Guard

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send everything, if Redis answers at all."""
        execute = super().execute
        return await self.guard.run(lambda: execute(raise_on_error))

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command beside the queue, as WATCH does."""
        # redis-py leaves these two without types.
        execute: Callable[..., Awaitable[Any]] = super().immediate_execute_command
        return await self.guard.run(lambda: execute(*args, **options))


class GuardedRedis(Redis):
    """redis-py's client under the breaker; everything else is as redis-py documents it.

    Args:
        pool: the connections.
        breaker: what counts the failures of all of them.
    """

    def __init__(self, pool: ConnectionPool, breaker: CircuitBreaker) -> None:
        super().__init__(connection_pool=pool)
        self._guard = _Guard(breaker, pool)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command, if Redis answers at all."""
        execute: Callable[..., Awaitable[Any]] = super().execute_command
        return await self._guard.run(lambda: execute(*args, **options))

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> GuardedPipeline:
        """Return a pipeline under the same breaker."""
        pipeline = GuardedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.guard = self._guard
        return pipeline
