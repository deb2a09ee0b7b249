"""Loads of this process, by place: who comes later waits for the one who is loading."""

import asyncio
import time
from dataclasses import dataclass, field
from enum import Enum, auto


class Landing(Enum):
    """How a load ended for those who waited."""

    #: Nobody knows: it was cancelled. One of those who wait loads next.
    LOST = auto()
    #: With JSON, from which each makes a value of its own: what the other caller got is the other caller's to change.
    LOADED = auto()
    #: With a value that JSON cannot carry; everybody loads for themselves.
    UNSHARED = auto()
    #: With an error, which is everybody's: a load that fails is not repeated by each of those who wait.
    FAILED = auto()


@dataclass(slots=True)
class Flight:
    """One load."""

    landing: Landing = Landing.LOST
    data: bytes = b""
    error: Exception | None = None
    landed: asyncio.Event = field(default_factory=asyncio.Event)

    def bring(self, data: bytes | None) -> None:
        """Share the JSON of what was loaded."""
        self.landing = Landing.UNSHARED if data is None else Landing.LOADED
        self.data = data or b""

    def fail(self, error: Exception) -> None:
        """Share the error."""
        self.landing = Landing.FAILED
        self.error = error

    async def lands_before(self, deadline: float) -> bool:
        """Wait; tell whether it was in time (by the monotonic clock)."""
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                await self.landed.wait()
        except TimeoutError:
            return False
        return True
