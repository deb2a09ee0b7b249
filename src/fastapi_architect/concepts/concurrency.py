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
