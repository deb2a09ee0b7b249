"""An outbox on a database of this test's own, and what happens in it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import NullPool, create_engine, select, update
from sqlalchemy.orm import Session

from fastapi_architect.components import outbox as outbox_package
from fastapi_architect.components.database import Database
from fastapi_architect.components.outbox import Outbox, OutboxEvent, OutboxSettings, Outcome, add_event
from fastapi_architect.components.outbox.tests import example
from fastapi_architect.components.service import Environment


class Service:
    """The example service, seen from outside."""

    def __init__(self, database: Database, database_url: str) -> None:
        self.database = database
        self.database_url = database_url
        self.outcomes: list[tuple[str, Outcome]] = []
        settings = OutboxSettings(environment=Environment.LOCAL, lease=1.0)
        outbox = Outbox(settings, observers=[lambda topic, outcome: self.outcomes.append((topic, outcome))])
        self.runtime = outbox.runtime([database, outbox])

    def session(self) -> Session:
        return self.database.sync_sessions()

    def add(self, topic: str, payload: dict[str, Any] | None = None, **more: Any) -> UUID:
        with self.session() as session:
            event_id = add_event(session, topic, payload or {}, **more)
            session.commit()
        return event_id

    def event(self, event_id: UUID) -> OutboxEvent:
        with self.session() as session:
            return session.get_one(OutboxEvent, event_id)

    def notes(self) -> list[str]:
        with self.session() as session:
            return list(session.scalars(select(example.notes.c.text).order_by(example.notes.c.id)))

    def let_time_pass(self, hours: float = 1) -> None:
        """Make everything due, as if so much time had passed."""
        by = timedelta(hours=hours)
        with self.session() as session:
            session.execute(
                update(OutboxEvent).values(
                    held_until=OutboxEvent.held_until - by, publish_at=OutboxEvent.publish_at - by
                )
            )
            session.commit()

    def _environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "ENVIRONMENT": "local",
            "OUTBOX_LEASE": "1",
            "OUTBOX_POLL_INTERVAL": "0.05",
        }

    @contextmanager
    def worker(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a real worker process."""
        command = [
            sys.executable,
            "-m",
            outbox_package.__name__,
            "--registry",
            f"{example.__name__}:components",
        ]
        process = subprocess.Popen(
            [*command, "work", *arguments],
            env=os.environ | self._environment() | environment,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            kill_tree(process)


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children at once, as a power cut does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def service(database: Database, database_url: str, owner_database_url: str) -> Iterator[Service]:
    example.notes.create(create_engine(owner_database_url, poolclass=NullPool))
    yield Service(database, database_url)
    database.sync_engine.dispose()


def eventually(question: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until the answer is yes."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
