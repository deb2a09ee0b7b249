"""The relay: from the table to a broker, and from the clock to the table."""

import logging
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol, runtime_checkable
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from . import repository
from .order import AGING
from .repository import Publication
from .schedule import Periodic, queue_due

logger = logging.getLogger(__name__)

SOON = timedelta(seconds=1)
#: Seconds between two looks while the broker, or the database, does not answer.
LONGEST_PAUSE = 5.0


class Publisher(Protocol):
    """A broker."""

    def publish(self, publication: Publication) -> None:
        """Put one event into the broker, or raise."""


@runtime_checkable
class CanForget(Protocol):
    """A broker that may come back empty, and that can be asked whether it has."""

    def has_forgotten(self) -> bool:
        """Tell whether it no longer knows what it was last told to remember."""

    def remember(self) -> None:
        """Let it keep a mark, which it forgets together with its messages."""


class Relay:
    """Publishes what is due. Any number of relays may run; each event is taken by one of them.

    The order is: take (commit), publish, stamp (commit). A relay that dies after publishing leaves an event that
    is published again after `again_after`: twice in the broker, done once. A broker that says that it came back empty
    (`CanForget`) gets everything again at once.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        publisher: Publisher,
        *,
        batch: int = 100,
        again_after: timedelta = timedelta(seconds=60),
        poll_interval: float = 0.25,
        schedules: Mapping[str, Periodic] | None = None,
        window: int = 20,
        aging: timedelta = AGING,
    ) -> None:
        self._sessions = sessions
        self._window = window
        self._aging = aging
        self._publisher = publisher
        self._batch = batch
        self._again_after = again_after
        self._poll_interval = poll_interval
        self._clock = Clock(sessions, schedules or {})
        self._next_question = 0.0

    def run(self, stop: threading.Event) -> None:
        """Publish until told to stop. An outage of the broker or the database is waited for."""
        pause = self._poll_interval
        while not stop.is_set():
            try:
                self._clock.tick()
                self.ask_broker()
                published = self.publish_due()
            except Exception:  # an outage must not end the relay
                logger.warning("the relay could not do its work", exc_info=True, extra={"again_in": pause})
                stop.wait(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
            else:
                pause = self._poll_interval
                if published < self._batch:
                    stop.wait(pause)

    def publish_due(self) -> int:
        """Publish one batch of what is due; return how many.

        Raises:
            Exception: whatever the broker raised; what it did not accept is due again soon.
        """
        with self._sessions.begin() as session:
            taken = repository.take_for_publishing(
                session, self._batch, self._again_after, self._window, self._aging
            )
        accepted: list[UUID] = []
        try:
            for publication in taken:
                self._publisher.publish(publication)
                accepted.append(publication.id)
        finally:
            self._note(accepted, [publication.id for publication in taken[len(accepted) :]])
        return len(accepted)

    def ask_broker(self) -> None:
        """Once a second: let everything be published again if the broker has forgotten it.

        Raises:
            Exception: whatever the broker raised.
        """
        if not isinstance(self._publisher, CanForget) or time.monotonic() < self._next_question:
            return
        if self._publisher.has_forgotten():
            with self._sessions.begin() as session:
                again = repository.publish_all_again(session)
            if again:
                logger.warning("the broker has forgotten its messages", extra={"again": again})
            # Last: a relay that dies before it leaves the question to the next one.
            self._publisher.remember()
        self._next_question = time.monotonic() + 1

    def _note(self, accepted: list[UUID], refused: list[UUID]) -> None:
        with self._sessions.begin() as session:
            if accepted:
                repository.stamp_published(session, accepted)
            if refused:
                repository.give_back(session, refused, SOON)


class Clock:
    """Looks once a second whether a schedule is due."""

    def __init__(self, sessions: sessionmaker[Session], schedules: Mapping[str, Periodic]) -> None:
        self._sessions = sessions
        self._schedules = schedules
        self._next_look = 0.0

    def tick(self) -> None:
        """Queue what is due, if the last look was long enough ago."""
        if not self._schedules or time.monotonic() < self._next_look:
            return
        with self._sessions.begin() as session:
            queued = queue_due(session, self._schedules)
        self._next_look = time.monotonic() + 1
        if queued:
            logger.info("periodic work was queued", extra={"schedules": list(queued)})
