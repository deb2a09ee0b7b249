"""One open socket, as the rest of the process sees it: events are put in, and it can be ended."""

from collections.abc import Callable

import anyio

from ..service import Principal
from .closing import TOO_SLOW, Closing


class Connection:
    """A bounded queue to one client. It belongs to one event loop.

    Args:
        principal: who listens.
        queue_size: how many messages may wait; with one more the client is too slow.
    """

    def __init__(self, principal: Principal, queue_size: int) -> None:
        self.principal = principal
        self.topics: set[str] = set()
        self.closing: Closing | None = None
        #: Why it will be closed once everything that waits has left.
        self.finishing: Closing | None = None
        self._send, self.outbox = anyio.create_memory_object_stream[str](queue_size)
        self._scope = anyio.CancelScope()

    def offer(self, text: str) -> None:
        """Put a message into the queue. Nobody waits here: one slow client must not hold up all others."""
        if self.closing is not None or self.finishing is not None:
            return
        try:
            self._send.send_nowait(text)
        except anyio.WouldBlock:
            self.end(TOO_SLOW)

    async def put(self, text: str) -> None:
        """Put a message into the queue, and wait for room: for a feed of this socket alone, which holds up nobody else.

        Who reads too slowly is let go all the same, since no message may take longer than `send_seconds` to leave.
        """
        if self.closing is None and self.finishing is None:
            await self._send.send(text)

    def finish(self, closing: Closing) -> None:
        """Let the socket be closed as soon as everything that waits has left; nothing more is taken."""
        if self.closing is None and self.finishing is None:
            self.finishing = closing
            self._send.close()

    def end(self, closing: Closing) -> None:
        """Let the socket be closed; the first reason counts."""
        if self.closing is None:
            self.closing = closing
            self._scope.cancel()

    def run_until_end(self) -> anyio.CancelScope:
        """Return the scope in which everything about this socket runs, and which its end cancels."""
        return self._scope

    def release(self) -> None:
        """Free the queue."""
        self._send.close()
        self.outbox.close()


class MessageBudget:
    """How many messages a client may send: so many a second on average, so many at once.

    Args:
        per_second: on average.
        burst: at once.
        clock: seconds that only grow.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left = float(burst)
        self._seen = clock()

    def take(self) -> bool:
        """Take one message out of the budget; False if nothing is left."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._seen) * self._per_second)
        self._seen = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
