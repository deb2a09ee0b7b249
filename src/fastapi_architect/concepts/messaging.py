"""Work and messages handed to somebody else: queues, background tasks, mail."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class Enqueue(Concept, frozen=True, eq=False):
    """A task is sent to a queue.

    Attributes:
        task: the task as written (`send_mail` of `send_mail.delay(1)`); None when it is named by text.
        task_name: the expression that names it.
        args: positional arguments the task will get; for `apply_async` those of its list when it is written
            out.
        keywords: keyword arguments the task will get, likewise.
        options: other keyword arguments (countdown, queue, serializer ...).
        kind: delay, apply_async, send_task, signature, chain, group, chord, publish or enqueue.
        is_async: to be awaited.
    """

    task: ir.Expr | None = None
    task_name: ir.Expr | None = None
    args: tuple[ir.Expr, ...] = ()
    keywords: tuple[ir.Keyword, ...] = ()
    options: tuple[ir.Keyword, ...] = ()
    kind: str = "delay"
    is_async: bool = False

    def option(self, name: str) -> ir.Expr | None:
        """The keyword argument of that name, or None."""
        return next((k.value for k in self.options if k.arg == name), None)


class TaskRetry(Concept, frozen=True, eq=False):
    """A task asks to be tried again."""

    countdown: ir.Expr | None = None
    max_retries: ir.Expr | None = None


class ResultWait(Concept, frozen=True, eq=False):
    """A task's result is waited for; `timeout` None when without limit; `kind` is get, join, wait or
    apply.
    """

    result: ir.Expr | None = None
    timeout: ir.Expr | None = None
    kind: str = "get"


class WorkerInspection(Concept, frozen=True, eq=False):
    """Workers are asked something and their answers waited for (`app.control.inspect()`)."""


class BackgroundTaskAdd(Concept, frozen=True, eq=False):
    """A function runs after the response, in the same process.

    Attributes:
        target: the function.
        args: what it will be given.
        keywords: the same, by name.
        tasks: the collection it is added to; None for a task made on its own.
    """

    target: ir.Expr | None = None
    args: tuple[ir.Expr, ...] = ()
    keywords: tuple[ir.Keyword, ...] = ()
    tasks: ir.Expr | None = None


class EmailSend(Concept, frozen=True, eq=False):
    """A message is mailed; `message` is the message or its body."""

    message: ir.Expr | None = None
    recipient: ir.Expr | None = None
    is_async: bool = False
