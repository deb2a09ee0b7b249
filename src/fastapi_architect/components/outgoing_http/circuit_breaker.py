"""A circuit breaker for each host: who fails again and again is left alone for a while.

Closed: calls pass, failures in a row are counted. Open: calls are refused at once, so that neither the caller waits nor a host
that struggles is buried. Half-open: after a while one call tries; its outcome closes or opens the circuit.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from .errors import CircuitOpen


class Outcome(Enum):
    """What a call says about its host. A refused or cancelled call says nothing."""

    UNKNOWN = "unknown"
    GOOD = "good"
    BAD = "bad"


class Watch:
    """A call under way; whoever makes it notes the outcome."""

    def __init__(self) -> None:
        self.outcome = Outcome.UNKNOWN


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    open_until: float | None = None
    probing: bool = False


class CircuitBreakers:
    """The circuits of a process, which asynchronous code and threads may share.

    Args:
        failures: how many in a row open a circuit.
        open_seconds: how long it stays open before one call may try.
        capacity: how many hosts are remembered; users who name hosts cannot fill the memory.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        failures: int = 5,
        open_seconds: float = 30.0,
        capacity: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._open_seconds = open_seconds
        self._capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()
        self._circuits: OrderedDict[str, _Circuit] = OrderedDict()

    @contextmanager
    def watch(self, host: str) -> Iterator[Watch]:
        """Watch one call to a host.

        Raises:
            CircuitOpen: the host is left alone for now.
        """
        probing = self._enter(host)
        watch = Watch()
        try:
            yield watch
        finally:
            self._leave(host, watch.outcome, probing)

    def _enter(self, host: str) -> bool:
        with self._lock:
            circuit = self._circuits.get(host)
            if circuit is None or circuit.open_until is None:
                return False
            left = circuit.open_until - self._clock()
            if left > 0 or circuit.probing:
                raise CircuitOpen(retry_after=max(left, 1.0))
            circuit.probing = True
            return True

    def _leave(self, host: str, outcome: Outcome, probing: bool) -> None:
        with self._lock:
            circuit = self._circuits.get(host)
            if outcome is Outcome.GOOD:
                # An answer to a call from before the circuit opened says nothing about now.
                if probing or circuit is None or circuit.open_until is None:
                    self._circuits.pop(host, None)
                return
            if probing and circuit is not None:
                circuit.probing = False  # also after a cancelled call: else nobody would ever try again
            if outcome is Outcome.BAD:
                self._count(host, circuit or _Circuit(), probing)

    def _count(self, host: str, circuit: _Circuit, probing: bool) -> None:
        circuit.failures += 1
        if probing or circuit.failures >= self._limit:
            circuit.open_until = self._clock() + self._open_seconds
        self._circuits[host] = circuit
        self._circuits.move_to_end(host)
        while len(self._circuits) > self._capacity:
            self._circuits.popitem(last=False)
