"""Handles events without a broker: the table is the queue."""

import logging
import threading
from collections.abc import Mapping

from .execution import Runtime
from .relay import LONGEST_PAUSE, Clock
from .schedule import Periodic

logger = logging.getLogger(__name__)


class DirectWorker:
    """Takes events from the table and handles them, in a few threads. Any number of processes may run."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        threads: int = 4,
        poll_interval: float = 0.25,
        schedules: Mapping[str, Periodic] | None = None,
    ) -> None:
        self._runtime = runtime
        self._threads = threads
        self._poll_interval = poll_interval
        self._clock = Clock(runtime.sessions, schedules or {})

    def run(self, stop: threading.Event) -> None:
        """Handle events until told to stop; what was begun is ended."""
        threads = [threading.Thread(target=self._work, args=(stop,)) for _ in range(self._threads)]
        for thread in threads:
            thread.start()
        self._tick(stop)
        for thread in threads:
            thread.join()

    def _tick(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._clock.tick()
            except Exception:
                logger.warning("the schedules could not be read", exc_info=True)
            stop.wait(self._poll_interval)

    def _work(self, stop: threading.Event) -> None:
        pause = self._poll_interval
        while not stop.is_set():
            try:
                worked = self._runtime.handle_next() is not None
            except Exception:  # an outage of the database must not end the worker
                logger.warning("the database does not answer", exc_info=True, extra={"again_in": pause})
                stop.wait(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
                continue
            pause = self._poll_interval
            if not worked:
                stop.wait(pause)
