"""The connections of one event loop."""

import asyncio
from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import AbstractConnection


class PoolOfOneLoop(BlockingConnectionPool):
    """A pool that forgets the connections of an event loop that has ended.

    A connection cannot follow to another loop. A server has one loop; a test client whose lifespan nobody runs makes one for
    each request.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    async def get_connection(
        self, command_name: str | None = None, *keys: Any, **options: Any
    ) -> AbstractConnection:
        """Return a connection of this loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop and self._loop.is_closed():
            self.reset()  # type: ignore[no-untyped-call]  # redis-py leaves it without types
            self._condition = asyncio.Condition()
            self._lock = asyncio.Lock()
        self._loop = loop
        connection: AbstractConnection = await super().get_connection()  # type: ignore[no-untyped-call]
        return connection
