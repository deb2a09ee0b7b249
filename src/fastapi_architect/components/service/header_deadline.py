"""Closes connections that take too long to say what they want.

uvicorn has no limit for the headers of a request: whoever sends one byte a minute keeps a connection for ever (slow loris).
An application sees a request only when its headers are complete, so that this stands in the server.
"""

import asyncio
from typing import Any


def with_header_deadline(protocol: Any, seconds: float) -> Any:
    """Return uvicorn's HTTP protocol class, whichever it is, with a limit for headers.

    Args:
        protocol: the class; both of uvicorn's note the request under way as `cycle`.
        seconds: from the connection, or from the first byte of a further request, until its headers are complete.
    """

    class WithHeaderDeadline(protocol):  # type: ignore[misc]  # which class it is depends on what is installed
        _expiry: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._arm()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._is_between_requests():
                self._arm()
            else:
                self._disarm()

        def connection_lost(self, exc: Exception | None) -> None:
            self._disarm()
            super().connection_lost(exc)

        def _is_between_requests(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _arm(self) -> None:
            # Not again with every byte: that is what the attack counts on.
            if self._expiry is None:
                self._expiry = asyncio.get_running_loop().call_later(seconds, self._expire)

        def _disarm(self) -> None:
            if self._expiry is not None:
                self._expiry.cancel()
                self._expiry = None

        def _expire(self) -> None:
            self._expiry = None
            # A websocket has another protocol by now.
            if self.transport.get_protocol() is self and self._is_between_requests():
                self.transport.close()

    return WithHeaderDeadline
