"""Stops asking a server that does not answer: the next caller learns it in microseconds and not after a timeout."""

import logging
import time
from collections.abc import Callable
from enum import StrEnum

logger = logging.getLogger(__name__)


class CircuitState(StrEnum):
    """Closed: everybody may ask. Open: nobody. Half-open: one caller is asking for all."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Counts failures in a row. It belongs to one event loop and needs no lock.

    Args:
        failures: how many in a row open it.
        pause: seconds until one caller may try again.
        clock: monotonic seconds.
    """

    def __init__(self, failures: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._failed = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> CircuitState:
        """What the next caller meets."""
        if self._open_until is None:
            return CircuitState.CLOSED
        return CircuitState.HALF_OPEN if self._probing else CircuitState.OPEN

    def admits(self) -> bool:
        """Tell whether the caller may ask. Whoever may reports how it ended, with `is_probe` as it was then."""
        if self._open_until is None:
            return True
        if self._probing or self._clock() < self._open_until:
            return False
        self._probing = True
        return True

    @property
    def is_probing(self) -> bool:
        """Whether the caller who was just admitted asks for all."""
        return self._probing

    def succeeded(self, *, is_probe: bool) -> None:
        """Note an answer."""
        if is_probe:
            self._probing = False
            self._open_until = None
            logger.info("circuit closed")
        # An answer to a question from before it opened says nothing about now.
        if self._open_until is None:
            self._failed = 0

    def failed(self, *, is_probe: bool) -> bool:
        """Note that nobody answered; tell whether this opened the circuit."""
        if is_probe:
            self._probing = False
            self._open_until = self._clock() + self._pause
            return True
        if self._open_until is not None:
            return False
        self._failed += 1
        if self._failed < self._limit:
            return False
        self._open_until = self._clock() + self._pause
        logger.warning("circuit opened", extra={"failures": self._failed, "pause_seconds": self._pause})
        return True

    def abandoned(self, *, is_probe: bool) -> None:
        """Note that a caller was cancelled: the next one may try in its place."""
        if is_probe:
            self._probing = False
