"""Messages sent to Celery: serialised as for a real broker, kept.

And run when the demonstration delivers them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any


@dataclass
class CeleryMessage:
    """One message on its way to a worker.

    Attributes:
        task: the task's name.
        args, kwargs: as the worker will read them, serialised and read back.
        options: countdown, queue, expires, ... as given.
        body: the serialised arguments, as they would lie in the broker.
        deliveries: how often a worker has run it.
    """

    task: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    body: str
    task_id: str
    application: Any = field(repr=False, default=None)
    deliveries: int = 0


class Messages:
    """An in-memory broker for every Celery application.

    Attributes:
        sent: messages in order.
    """

    def __init__(self) -> None:
        self.sent: list[CeleryMessage] = []

    def install(self) -> None:
        """Step in where an application hands a message to its broker; needs Celery."""
        from celery import Celery  # type: ignore[import-untyped, unused-ignore]

        sent = self.sent

        def send_task(
            application: Any, name: str, args: Any = None, kwargs: Any = None, task_id: str | None = None,
            task_type: Any = None, **options: Any,
        ) -> Any:  # fmt: skip
            from celery.utils import uuid  # type: ignore[import-untyped, unused-ignore]

            serialization: Any = import_module("kombu.serialization")
            serializer = options.get("serializer") or getattr(task_type, "serializer", None)
            serializer = serializer or application.conf.task_serializer
            kind, encoding, body = serialization.dumps([list(args or ()), dict(kwargs or {})], serializer)
            read_args, read_kwargs = serialization.loads(body, kind, encoding, accept=[kind])
            given = {key: value for key, value in options.items() if value is not None}
            identity = task_id or uuid()
            text = body if isinstance(body, str) else repr(body)
            sent.append(CeleryMessage(name, read_args, read_kwargs, given, text, identity, application))
            return application.AsyncResult(identity)

        Celery.send_task = send_task

    def deliver(self, message: CeleryMessage | None = None) -> Any:
        """Run the worker for one message, or for all that no worker has run yet, and those they send.

        Returns:
            Celery's `EagerResult` (`.state`, `.result`); a list of them when no message was named.
        """
        if message is not None:
            return self._run(message)
        results = []
        while waiting := [m for m in self.sent if not m.deliveries]:
            results.append(self._run(waiting[0]))
        return results

    def _run(self, message: CeleryMessage) -> Any:
        message.deliveries += 1
        task = message.application.tasks[message.task]
        return task.apply(args=message.args, kwargs=message.kwargs, task_id=message.task_id, throw=False)
