"""What is done to the system: a plan from a seed, and how each fault of it is made."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import psycopg
import redis
from celery import Celery

from chaos import system
from chaos.installation import PATIENCE, Installation, Process

LEASE = float(PATIENCE["OUTBOX_LEASE"])
#: A zombie sleeps for longer than its lease, so that somebody else has taken its work when it wakes.
ZOMBIE_SLEEPS = 2 * LEASE


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the plan.

    Attributes:
        at: seconds after the load began.
        kind: which fault.
        pick: between 0 and 1: which one of several processes, in the order of their numbers.
        seconds: how long it lasts, where it lasts.
    """

    at: float
    kind: str
    pick: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:7.2f}s  {self.kind:<22} pick={self.pick:.3f} for {self.seconds:.2f}s"


#: How often each comes, relative to the others. All of it comes at least once: see `plan`.
WEIGHTS = {
    "kill-child": 16,
    "kill-busy-child": 10,
    "kill-sandbox": 4,
    "kill-worker-tree": 5,
    "kill-worker-parent": 4,
    "stop-worker": 3,
    "freeze-busy-child": 9,
    "freeze-worker": 4,
    "kill-relay": 5,
    "freeze-relay": 3,
    "kill-api": 4,
    "stop-api": 2,
    "crash-redis": 6,
    "flush-redis": 4,
    "freeze-redis": 3,
    "crash-postgresql": 5,
    "kill-postgresql-backend": 3,
    "end-connections": 4,
    "duplicate-messages": 9,
}
#: Faults of what a queue does not have.
OF_CELERY = frozenset({"kill-relay", "freeze-relay", "duplicate-messages"})


def plan(seed: int, queue: str, *, only: Sequence[str] = (), pause: float = 2.5) -> Iterator[Fault]:
    """Yield the faults of a run without end: the same ones for the same seed.

    Args:
        seed: of everything.
        queue: of the workers.
        only: these kinds alone.
        pause: seconds between two faults, on average.
    """
    chance = random.Random(f"{seed} {queue} faults")
    kinds = [kind for kind in only or WEIGHTS if queue == "celery" or kind not in OF_CELERY]
    weights = [WEIGHTS[kind] for kind in kinds]
    first = chance.sample(kinds, len(kinds))
    at = 1.0
    while True:
        at += chance.uniform(0.3, 2 * pause - 0.3)
        kind = first.pop() if first else chance.choices(kinds, weights)[0]
        yield Fault(round(at, 3), kind, round(chance.random(), 3), round(chance.uniform(0.5, 4.0), 3))


class Saboteur:
    """Makes faults, and starts again what they ended.

    Args:
        installation: what is broken.
        say: takes a line of the timeline.
    """

    def __init__(self, installation: Installation, say: Callable[[str], None]) -> None:
        self._installation = installation
        self._say = say
        #: PostgreSQL and Redis are stopped by one fault at a time.
        self._servers = threading.Lock()
        self._later: list[threading.Thread] = []
        self._frozen: set[int] = set()
        self.counts: dict[str, int] = {}
        self.errors: list[str] = []

    def make(self, fault: Fault) -> None:
        """Make one fault. What lasts goes on beside the next ones."""
        self.counts[fault.kind] = self.counts.get(fault.kind, 0) + 1
        self._say(str(fault))
        work = getattr(self, "_" + fault.kind.replace("-", "_"))
        thread = threading.Thread(target=self._guarded, args=(work, fault), daemon=True)
        thread.start()
        self._later.append(thread)

    def keep_running(self) -> None:
        """Start what has ended: a supervisor does no more."""
        for process in self._installation.processes():
            if process.id is None:
                process.start()

    def calm_down(self) -> None:
        """Wait until every fault is over, wake whoever sleeps, and start what has ended."""
        for thread in self._later:
            thread.join(90)
        for process_id in self._frozen:
            _send(process_id, signal.SIGCONT)
        self.keep_running()

    def _guarded(self, work: Callable[[Fault], None], fault: Fault) -> None:
        try:
            work(fault)
        except Exception as error:
            self.errors.append(f"{fault.kind}: {type(error).__name__}: {error}")

    # Workers

    def _kill_child(self, fault: Fault) -> None:
        self._kill_one_of(self._installation.pool(), fault)

    def _kill_busy_child(self, fault: Fault) -> None:
        self._kill_one_of(self._busy(fault), fault)

    def _kill_sandbox(self, fault: Fault) -> None:
        sandboxes = [each for child in self._busy(fault) for each in system.children_of(child)]
        self._kill_one_of(sandboxes, fault)

    def _kill_worker_tree(self, fault: Fault) -> None:
        self._worker(fault).signal(signal.SIGKILL, tree=True)

    def _kill_worker_parent(self, fault: Fault) -> None:
        self._worker(fault).signal(signal.SIGKILL)

    def _stop_worker(self, fault: Fault) -> None:
        self._worker(fault).signal(signal.SIGTERM)

    def _freeze_busy_child(self, fault: Fault) -> None:
        busy = self._busy(fault)
        if busy:
            self._freeze([_picked(busy, fault)], ZOMBIE_SLEEPS + fault.seconds)

    def _freeze_worker(self, fault: Fault) -> None:
        worker = self._worker(fault)
        if worker.id is not None:
            self._freeze(list(system.tree_of(worker.id)), ZOMBIE_SLEEPS + fault.seconds)

    # Relay and API

    def _kill_relay(self, _: Fault) -> None:
        if self._installation.relay is not None:
            self._installation.relay.signal(signal.SIGKILL)

    def _freeze_relay(self, fault: Fault) -> None:
        relay = self._installation.relay
        if relay is not None and relay.id is not None:
            self._freeze([relay.id], 2 * fault.seconds)

    def _kill_api(self, _: Fault) -> None:
        self._installation.api.signal(signal.SIGKILL)

    def _stop_api(self, _: Fault) -> None:
        self._installation.api.signal(signal.SIGTERM)

    # Redis

    def _crash_redis(self, fault: Fault) -> None:
        with self._servers:
            self._installation.redis.stop()
            time.sleep(fault.seconds / 2)
            self._installation.redis.start()

    def _flush_redis(self, _: Fault) -> None:
        with self._servers, redis.Redis.from_url(self._installation.redis.url, socket_timeout=2) as client:
            client.flushall()

    def _freeze_redis(self, fault: Fault) -> None:
        with self._servers, redis.Redis.from_url(self._installation.redis.url, socket_timeout=2) as client:
            process_id = int(client.info("server")["process_id"])
            self._freeze([process_id], fault.seconds)

    # PostgreSQL

    def _crash_postgresql(self, fault: Fault) -> None:
        with self._servers:
            self._installation.postgresql.stop("immediate")
            time.sleep(fault.seconds / 2)
            self._installation.postgresql.start()

    def _kill_postgresql_backend(self, fault: Fault) -> None:
        with self._servers, self._installation.connect() as connection:
            rows = connection.execute(_BACKENDS).fetchall()
        if rows:
            _send(int(_picked(rows, fault)[0]), signal.SIGKILL)

    def _end_connections(self, _: Fault) -> None:
        with self._servers, self._installation.connect() as connection:
            connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({_BACKENDS}) AS backends")

    # Messages

    def _duplicate_messages(self, _: Fault) -> None:
        """Send messages once more about what is waited for, worked on, and long done."""
        with suppress(psycopg.OperationalError), self._installation.connect() as connection:
            broker = self._installation.environment["CELERY_BROKER_URL"]
            for (event_id,) in connection.execute(_EVENTS).fetchall():
                _publisher(broker).send_task(
                    "outbox.handle", args=[str(event_id)], queue="default", ignore_result=True, retry=False
                )

    def _worker(self, fault: Fault) -> Process:
        return _picked(self._installation.workers, fault)

    def _busy(self, fault: Fault) -> list[int]:
        """The pool's processes that work on a scan now; waits a moment for one."""
        deadline = time.monotonic() + fault.seconds
        while time.monotonic() < deadline:
            busy = [
                child
                for child in self._installation.pool()
                if child not in self._frozen and system.children_of(child)
            ]
            if busy:
                return busy
            time.sleep(0.01)
        return []

    def _kill_one_of(self, process_ids: Sequence[int], fault: Fault) -> None:
        if process_ids:
            _send(_picked(process_ids, fault), signal.SIGKILL)

    def _freeze(self, process_ids: Sequence[int], seconds: float) -> None:
        self._frozen.update(process_ids)
        for process_id in process_ids:
            _send(process_id, signal.SIGSTOP)
        time.sleep(seconds)
        for process_id in process_ids:
            _send(process_id, signal.SIGCONT)
        self._frozen.difference_update(process_ids)


Item = TypeVar("Item")
_BACKENDS = (
    "SELECT pid FROM pg_stat_activity WHERE usename = 'secapi_app' AND pid <> pg_backend_pid() ORDER BY pid"
)
_EVENTS = """
    (SELECT id FROM outbox_events WHERE processed_at IS NULL AND dead_at IS NULL ORDER BY random() LIMIT 10)
    UNION ALL (SELECT id FROM outbox_events WHERE processed_at IS NOT NULL ORDER BY processed_at DESC LIMIT 5)
"""


def _picked(found: Sequence[Item], fault: Fault) -> Item:
    return found[int(fault.pick * len(found))]


@cache
def _publisher(broker: str) -> Any:
    """Return who sends messages as a relay does."""
    return Celery("chaos", broker=broker)


def _send(process_id: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process_id, number)
