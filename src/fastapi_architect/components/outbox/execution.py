"""One attempt at one event: begun, held, and ended as done, to be tried again, or dead."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from ..database import Database
from ..service import Component, component_in
from ..service.request_id import bind_request_id, current_request_id
from . import repository
from .contributions import import_task_modules
from .handlers import Handler, HandlerContext, PermanentFailure, Retries, RetryLater, handlers_of
from .order import AGING
from .repository import Attempt

logger = logging.getLogger(__name__)

#: For the present transaction; other transactions on the connection keep those of the service.
_LIMITS = text(
    "SELECT set_config('statement_timeout', :statement, true),"
    " set_config('idle_in_transaction_session_timeout', :idle, true)"
)
#: Kept of an error; the log has the traceback.
MAX_ERROR = 500
#: The body of an attempt. Its session's transaction also finishes the event, with what it returns.
Work = Callable[[HandlerContext], dict[str, Any] | None]


class Outcome(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    #: Nothing was done: the event is finished, somebody holds it, or it is not its time.
    SKIPPED = "skipped"
    #: Another attempt has begun meanwhile, and what this one wrote was rolled back.
    LOST = "lost"
    RETRYING = "retrying"
    DEAD = "dead"


#: Told of every attempt: the topic, and how it ended. For counters.
Observer = Callable[[str, Outcome], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that ended.

    Attributes:
        topic: of the event.
        outcome: how it ended.
        attempt: from 1.
        seconds: that it took.
        was_reclaimed: the attempt before it had died: its lease ran out.
    """

    topic: str
    outcome: Outcome
    attempt: int
    seconds: float
    was_reclaimed: bool


#: Told of every attempt, and more of it than an observer. What it raises is logged.
Listener = Callable[[Ended], None]


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a worker process needs to handle events."""

    components: Sequence[Component]
    sessions: sessionmaker[Session]
    #: How long an event is held without a sign of life from the process that works on it.
    lease: timedelta
    #: How long an attempt may take; after that its hold is not renewed.
    time_limit: timedelta
    #: How long one statement of a handler may take: a report is slower than what a request may wait for.
    statement_timeout: timedelta
    observers: Sequence[Observer] = ()
    listeners: Sequence[Listener] = ()
    #: After so long an event counts as one step more urgent.
    aging: timedelta = AGING

    @classmethod
    def of(
        cls,
        components: Sequence[Component],
        lease: timedelta,
        time_limit: timedelta,
        statement_timeout: timedelta,
        observers: Sequence[Observer] = (),
        listeners: Sequence[Listener] = (),
        aging: timedelta = AGING,
    ) -> "Runtime":
        """Import the task modules of the components, and take their database. Nothing connects yet."""
        import_task_modules(components)
        sessions = component_in(components, Database).sync_sessions
        return cls(components, sessions, lease, time_limit, statement_timeout, observers, listeners, aging)

    def handle(self, event_id: UUID) -> Outcome:
        """Attempt an event, if it is its time."""
        with self.sessions.begin() as session:
            attempt = repository.claim(session, event_id, self.lease)
        return Outcome.SKIPPED if attempt is None else self._told(attempt, lambda: self._by_topic(attempt))

    def handle_next(self, queues: Collection[str] | None = None) -> Outcome | None:
        """Attempt the event whose turn it is; None: there is nothing to do now.

        Args:
            queues: only what is of one of these; None: of any.
        """
        with self.sessions.begin() as session:
            attempt = repository.claim_next(session, self.lease, self.aging, queues)
        return None if attempt is None else self._told(attempt, lambda: self._by_topic(attempt))

    def perform(self, attempt: Attempt, retries: Retries, work: Work) -> Outcome:
        """Make an attempt that was claimed: for tasks that bring their own work."""
        return self._told(attempt, lambda: self._perform(attempt, retries, work))

    def _told(self, attempt: Attempt, make: Callable[[], Outcome]) -> Outcome:
        before = current_request_id()
        try:
            began = time.monotonic()
            outcome = make()
            self._tell(attempt, outcome, time.monotonic() - began)
            return outcome
        finally:
            # What this process logs next is about no request.
            bind_request_id(before)

    def _tell(self, attempt: Attempt, outcome: Outcome, seconds: float) -> None:
        ended = Ended(attempt.topic, outcome, attempt.number, seconds, attempt.last_error == repository.DIED)
        for observer in self.observers:
            observer(attempt.topic, outcome)
        for listener in self.listeners:
            try:
                listener(ended)
            except Exception:  # a number that is missing must not end a worker
                logger.warning("an attempt could not be told", exc_info=True, extra=_names(attempt))

    def _by_topic(self, attempt: Attempt) -> Outcome:
        handlers = handlers_of(attempt.topic)
        if attempt.handler is None and len(handlers) > 1:
            return self._split(attempt, handlers)
        chosen = next((one for one in handlers if attempt.handler in (None, one.name)), None)
        if chosen is None:
            return self._without_handler(attempt)
        function = chosen.function
        return self._perform(attempt, chosen.retries, lambda context: function(context, attempt.payload))

    def _split(self, attempt: Attempt, handlers: Sequence[Handler]) -> Outcome:
        with self.sessions() as session:
            repository.add_one_for_each(session, attempt, [handler.name for handler in handlers])
            return self._commit_finished(session, attempt)

    def _without_handler(self, attempt: Attempt) -> Outcome:
        # While a release rolls out, an old worker sees topics that only a new one knows.
        return self._failed(attempt, Retries(), LookupError(f"nothing handles {attempt.topic!r} here"))

    def _perform(self, attempt: Attempt, retries: Retries, work: Work) -> Outcome:
        bind_request_id(attempt.request_id)
        if attempt.number > retries.attempts:
            return self._bury(attempt, attempt.last_error or repository.DIED, retries.attempts)
        try:
            with self._held(attempt), self.sessions() as session:
                event.listen(session, "after_begin", self._allow_time)
                keep = work(self._context(attempt, retries, session))
                return self._commit_finished(session, attempt, keep)
        except Exception as error:  # whatever it was, it is one attempt
            return self._failed(attempt, retries, error)

    def _allow_time(self, session: Session, transaction: SessionTransaction, connection: Connection) -> None:
        milliseconds = str(round(self.statement_timeout.total_seconds() * 1000))
        connection.execute(_LIMITS, {"statement": milliseconds, "idle": milliseconds})

    def _commit_finished(
        self, session: Session, attempt: Attempt, keep: dict[str, Any] | None = None
    ) -> Outcome:
        if not repository.finish(session, attempt, keep):
            session.rollback()
            logger.warning("another attempt has begun; what this one wrote is dropped", extra=_names(attempt))
            return Outcome.LOST
        session.commit()
        return Outcome.DONE

    def _failed(self, attempt: Attempt, retries: Retries, error: Exception) -> Outcome:
        reason = described(error)
        if isinstance(error, PermanentFailure) or attempt.number >= retries.attempts:
            return self._bury(attempt, reason, attempt.number, error)
        expected = error if isinstance(error, RetryLater) else None
        pause = (expected and expected.after) or retries.delay(attempt.number)
        with self.sessions.begin() as session:
            noted = repository.try_again(session, attempt, reason, pause)
        extra = _names(attempt) | {"reason": reason, "again_in": round(pause.total_seconds(), 1)}
        logger.warning("an attempt failed", exc_info=None if expected else error, extra=extra)
        return Outcome.RETRYING if noted else Outcome.LOST

    def _bury(self, attempt: Attempt, reason: str, attempts: int, error: Exception | None = None) -> Outcome:
        with self.sessions.begin() as session:
            noted = repository.give_up(session, attempt, reason, attempts)
        logger.error("an event was given up", exc_info=error, extra=_names(attempt) | {"reason": reason})
        return Outcome.DEAD if noted else Outcome.LOST

    def _context(self, attempt: Attempt, retries: Retries, session: Session) -> HandlerContext:
        return HandlerContext(
            event_id=attempt.id,
            topic=attempt.topic,
            attempt=attempt.number,
            is_last_attempt=attempt.number == retries.attempts,
            request_id=attempt.request_id,
            session=session,
            components=self.components,
        )

    @contextmanager
    def _held(self, attempt: Attempt) -> Iterator[None]:
        """Hold the event while it is worked on, by signs of life from a thread of its own."""
        ended = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(attempt, ended), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()

    def _keep(self, attempt: Attempt, ended: threading.Event) -> None:
        pause = self.lease.total_seconds() / 3
        for _ in range(int(self.time_limit.total_seconds() / pause)):
            if ended.wait(pause):
                return
            try:
                with self.sessions.begin() as session:
                    if not repository.renew(session, attempt, self.lease):
                        return
            except Exception:  # the next one may get through; if none does, another worker takes over
                logger.warning("a sign of life failed", exc_info=True, extra=_names(attempt))


def described(error: BaseException) -> str:
    """Return an error as a reason that PostgreSQL can store."""
    ours = isinstance(error, PermanentFailure | RetryLater)
    reason = str(error) if ours else f"{type(error).__name__}: {error}"
    # Half of a surrogate pair, which a file name may hold, cannot be stored either.
    return reason.replace("\x00", "").encode(errors="replace").decode()[:MAX_ERROR]


def _names(attempt: Attempt) -> dict[str, object]:
    return {"event_id": str(attempt.id), "topic": attempt.topic, "attempt": attempt.number}
