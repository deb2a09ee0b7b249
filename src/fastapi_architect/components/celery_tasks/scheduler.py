"""`celery beat` on the schedules of the components. Two of them queue nothing twice: the database decides."""

import logging
from typing import Any

from celery.beat import Scheduler

from ..outbox import queue_due
from .worker import service_of

logger = logging.getLogger(__name__)


class SlotScheduler(Scheduler):  # type: ignore[misc]  # Celery ships no types
    """Adds events instead of sending messages, so that a broker that is down loses no period."""

    def setup_schedule(self) -> None:
        """Nothing is kept in a file: the database remembers."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Queue what is due; return the seconds until the next look."""
        service = service_of(self.app)
        try:
            with service.runtime.sessions.begin() as session:
                queued = queue_due(session, service.schedules)
        except Exception:  # an outage of the database must not end beat
            logger.warning("the schedules could not be read", exc_info=True)
            return 5.0
        if queued:
            logger.info("periodic work was queued", extra={"schedules": list(queued)})
        return 1.0
