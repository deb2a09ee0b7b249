"""Handles events without a broker: the table is the queue."""

import logging
import threading
from collections.abc import Collection, Mapping

from .execution import Runtime
from .relay import LONGEST_PAUSE, Clock
from .schedule import Periodic

logger = logging.getLogger(__name__)


class DirectWorker:
    """Takes events from the table and handles them, one at a time. Any number of processes may run one.

    Args:
        runtime: of the service.
        poll_interval: seconds between two looks, when the last one found nothing.
        schedules: of the components.
        queues: only what is of one of these; None: of any.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        poll_interval: float = 0.25,
        schedules: Mapping[str, Periodic] | None = None,
        queues: Collection[str] | None = None,
    ) -> None:
        self._queues = queues
        self._runtime = runtime
        self._poll_interval = poll_interval
        self._clock = Clock(runtime.sessions, schedules or {})

    def run(self, stop: threading.Event) -> None:
        """Handle events until told to stop; what was begun is ended."""
        pause = self._poll_interval
        while not stop.is_set():
            try:
                self._clock.tick()
                worked = self._runtime.handle_next(self._queues) is not None
            except Exception:  # an outage of the database must not end the worker
                logger.warning("the database does not answer", exc_info=True, extra={"again_in": pause})
                stop.wait(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
                continue
            pause = self._poll_interval
            if not worked:
                stop.wait(pause)
