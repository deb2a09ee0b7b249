"""What holds up a thread or an event loop, and what hands work to another."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class BlockingCall(Concept, frozen=True, eq=False):
    """A call that holds its thread until something outside answers.

    Attributes:
        kind: sleep, http, network, file, subprocess, database, cpu or lock.
        instead: the awaitable replacement as a reader would write it, "" when there is none.
    """

    kind: str
    instead: str = ""


class ThreadOffload(Concept, frozen=True, eq=False):
    """A call that runs its argument on another thread or process; what it runs may block."""

    target: ir.Expr | None = None


class TaskSpawn(Concept, frozen=True, eq=False):
    """A coroutine handed to the event loop to run on its own; `coroutines` are its arguments.

    `kind` is task (create_task, ensure_future), gather, group or run (a fresh loop: asyncio.run).
    """

    kind: str = "task"
    coroutines: tuple[ir.Expr, ...] = ()


class Lock(Concept, frozen=True, eq=False):
    """A lock, semaphore or event is made; `kind` is lock, semaphore, event, condition or queue."""

    kind: str = "lock"
    is_async: bool = False
    limit: ir.Expr | None = None


class Timeout(Concept, frozen=True, eq=False):
    """A limit on waiting: `asyncio.wait_for`, `asyncio.timeout`, `anyio.fail_after`.

    Attributes:
        seconds: the limit.
        awaited: what is waited for; None for a block.
    """

    seconds: ir.Expr | None = None
    awaited: ir.Expr | None = None


class LoopRun(Concept, frozen=True, eq=False):
    """A fresh event loop runs a coroutine from synchronous code (`asyncio.run`, `async_to_sync`)."""

    coroutine: ir.Expr | None = None


class AsyncWait(Concept, frozen=True, eq=False):
    """A wait without a limit of its own: `queue.get()`, `event.wait()`, `lock.acquire()` of asyncio; `kind`
    says which.
    """

    kind: str = "event"
    waited_for: ir.Expr | None = None


class ThreadStart(Concept, frozen=True, eq=False):
    """A thread, pool or process is made; `kind` is thread, process, thread-pool, process-pool or
    scheduler.
    """

    kind: str = "thread"
    target: ir.Expr | None = None


class Retry(Concept, frozen=True, eq=False):
    """Something is tried again after a failure; `kind` is decorator or loop."""

    kind: str = "decorator"
    wait: ir.Expr | None = None
    stop: ir.Expr | None = None
