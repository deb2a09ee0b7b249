"""The base of durable tasks, and the task that handles events."""

import inspect
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import Ignore
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from ..outbox import EventState, HandlerContext, OutboxEvent, Outcome, Priority, Retries, repository
from ..outbox.events import checked
from .worker import service_of

#: A message with a longer countdown would be delivered again before its time; PostgreSQL keeps longer pauses.
LONGEST_COUNTDOWN = 60
WAIT_FOR_DATABASE = 5

_context: ContextVar[HandlerContext] = ContextVar("task_context")


class TaskGivenUp(Exception):
    """The task is among the dead letters; what was linked to it does not run."""


class DurableTask(Task):
    """A task whose state is a row in PostgreSQL: `@shared_task(base=DurableTask, bind=True, name="reports.build")`.

    It takes arguments by name, JSON only. `self.context.session` is a session whose transaction also ends the task.
    Attempts are counted before they begin; after a failure the relay sends it again, later each time; after the
    last one it is a dead letter. What it returns, if anything, is kept in its row.
    """

    abstract = True
    #: Of what it returns, nothing goes into Celery's log.
    resultrepr_maxsize = 0
    #: How often it is tried, and with which pauses.
    retries = Retries()
    #: Where it waits, and what it overtakes there.
    queue_name = "default"
    queue_priority = Priority.NORMAL

    @property
    def context(self) -> HandlerContext:
        """The attempt that is being made: its session, its number, the components of the service."""
        return _context.get()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make one attempt, if it is time for one."""
        if self.request.called_directly:
            return self.run(*args, **kwargs)
        try:
            return self._attempt(args, kwargs)
        except SQLAlchemyError as error:
            # The database is down. What has a row is sent again; of what is linked, only this message knows the rest.
            if self._is_linked():
                raise self.retry(exc=error, countdown=WAIT_FOR_DATABASE, max_retries=None) from error
            raise

    def _attempt(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments = dict(inspect.signature(self.run).bind(*args, **kwargs).arguments)
        runtime = service_of(self.app).runtime
        event_id = UUID(self.request.id)
        with runtime.sessions.begin() as session:
            request_id = getattr(self.request, "request_id", None) or "-"
            linked = self._is_linked()
            repository.adopt(session, event_id, self.name, checked(arguments), request_id, relayed=not linked)
            attempt = repository.claim(session, event_id, runtime.lease)
        if attempt is None:
            return self._not_now(event_id)
        returned: list[Any] = []

        def work(context: HandlerContext) -> dict[str, Any] | None:
            token = _context.set(context)
            try:
                returned.append(self.run(**arguments))
            finally:
                _context.reset(token)
            return None if returned[0] is None else checked({"result": returned[0]})

        outcome = runtime.perform(attempt, self.retries, work)
        if outcome is Outcome.DONE:
            return returned[0]
        return self._not_done(event_id, outcome)

    def _is_linked(self) -> bool:
        """Tell whether the message carries what the row does not: the rest of a chain, callbacks, a chord."""
        request = self.request
        return bool(request.chain or request.callbacks or request.errbacks or request.chord)

    def _not_now(self, event_id: UUID) -> Any:
        """Answer a delivery of a task that is finished, that another worker holds, or that waits for its next attempt."""
        runtime = service_of(self.app).runtime
        with runtime.sessions.begin() as session:
            event = session.get_one(OutboxEvent, event_id)
        if event.state is EventState.DONE and self._is_linked():
            # It ended, and its worker died before it sent what comes next.
            return event.payload.get("result")
        return self._not_done(event_id, Outcome.SKIPPED if event.dead_at is None else Outcome.DEAD)

    def _not_done(self, event_id: UUID, outcome: Outcome) -> Any:
        if not self._is_linked() or outcome is Outcome.LOST:
            # The relay sends it again, if that is needed.
            raise Ignore
        if outcome is Outcome.DEAD:
            raise TaskGivenUp(f"{self.name} is a dead letter: {event_id}")
        raise self.retry(countdown=self._seconds_until_due(event_id), max_retries=None)

    def _seconds_until_due(self, event_id: UUID) -> float:
        held_for = func.extract("epoch", OutboxEvent.held_until - func.now())
        with service_of(self.app).runtime.sessions.begin() as session:
            seconds = session.scalars(select(held_for).where(OutboxEvent.id == event_id)).one()
        return min(LONGEST_COUNTDOWN, max(0.1, float(seconds)))


@shared_task(bind=True, name="outbox.handle")
def handle(self: Any, event_id: str) -> None:
    """Attempt an event, if it is its time. Whatever happens here, its row stays due until it is done."""
    service_of(self.app).runtime.handle(UUID(event_id))
