"""How an event gets into the broker, and a task into the outbox."""

import inspect
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ..outbox import Priority, Publication, add_event, handlers_of
from ..outbox.order import risen
from .brokers import PATIENCE, broker_of

HANDLE = "outbox.handle"


class CeleryPublisher:
    """Puts events into Celery's queues: a durable task under its own name, anything else for the handler of its topic."""

    def __init__(self, celery_app: Any) -> None:
        self._app = celery_app
        self._broker = broker_of(celery_app.conf.broker_url)

    def publish(self, publication: Publication) -> None:
        """Send one message; it carries the event's identifier, by which a repeated one is known.

        Raises:
            OperationalError: the broker does not answer.
        """
        headers = {"request_id": publication.request_id}
        task = self._app.tasks.get(publication.topic)
        if task is not None:
            own = getattr(task, "queue_priority", Priority.NORMAL)
            # Celery writes arguments into its log; these may be about somebody.
            task.apply_async(
                kwargs=publication.payload,
                task_id=str(publication.id),
                priority=self._broker.priority(risen(own, publication.risen)),
                confirm_timeout=PATIENCE,
                headers=headers,
                kwargsrepr="{...}",
            )
            return
        queue, own = _place(publication)
        self._app.send_task(
            HANDLE,
            args=[str(publication.id)],
            queue=queue,
            priority=self._broker.priority(risen(own, publication.risen)),
            confirm_timeout=PATIENCE,
            headers=headers,
        )

    def has_forgotten(self) -> bool:
        """Tell whether the broker has lost our mark, and with it every message.

        Raises:
            OperationalError: the broker does not answer.
        """
        return self._broker.has_forgotten(self._app)

    def remember(self) -> None:
        """Leave our mark in the broker."""
        self._broker.remember(self._app)


def queue_task(session: AsyncSession | Session, task: Any, **arguments: Any) -> UUID:
    """Start a durable task with the commit of the caller; its state is readable under the identifier returned.

    Raises:
        TypeError: the task does not take these arguments.
    """
    inspect.signature(task.run).bind(**arguments)
    return add_event(session, task.name, arguments)


def _place(publication: Publication) -> tuple[str, Priority]:
    # What the event says itself counts; NORMAL, which it also has where nobody said anything, leaves it to the handler.
    own = None if publication.priority == Priority.NORMAL else Priority(publication.priority)
    handlers = handlers_of(publication.topic)
    for handler in handlers:
        if publication.handler == handler.name or (publication.handler is None and len(handlers) == 1):
            return handler.queue, handler.priority if own is None else own
    return "default", Priority.NORMAL if own is None else own
