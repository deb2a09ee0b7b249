"""What holds up a thread or an event loop, and what hands work to another."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


@dataclass(frozen=True, slots=True, eq=False)
class BlockingCall(Concept):
    """A call that holds its thread until something outside answers.

    Attributes:
        kind: sleep, http, network, file, subprocess, database, cpu or lock.
        instead: the awaitable replacement as a reader would write it, "" when there is none.
    """

    kind: str
    instead: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ThreadOffload(Concept):
    """A call that runs its argument on another thread or process; what it runs may block."""

    target: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TaskSpawn(Concept):
    """A coroutine handed to the event loop to run on its own; `coroutines` are its arguments.

    `kind` is task (create_task, ensure_future), gather, group or run (a fresh loop: asyncio.run).
    """

    kind: str = "task"
    coroutines: tuple[ir.Expr, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Lock(Concept):
    """A lock, semaphore or event is made; `kind` is lock, semaphore, event, condition or queue."""

    kind: str = "lock"
    is_async: bool = False
    limit: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Timeout(Concept):
    """A limit on waiting: `asyncio.wait_for`, `asyncio.timeout`, `anyio.fail_after`.

    Attributes:
        seconds: the limit.
        awaited: what is waited for; None for a block.
    """

    seconds: ir.Expr | None = None
    awaited: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LoopRun(Concept):
    """A fresh event loop runs a coroutine from synchronous code (`asyncio.run`, `async_to_sync`)."""

    coroutine: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AsyncWait(Concept):
    """A wait without a limit of its own: `queue.get()`, `event.wait()`, `lock.acquire()` of asyncio; `kind` says which."""

    kind: str = "event"
    waited_for: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ThreadStart(Concept):
    """A thread, pool or process is made; `kind` is thread, process, thread-pool, process-pool or scheduler."""

    kind: str = "thread"
    target: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Retry(Concept):
    """Something is tried again after a failure; `kind` is decorator or loop."""

    kind: str = "decorator"
    wait: ir.Expr | None = None
    stop: ir.Expr | None = None
