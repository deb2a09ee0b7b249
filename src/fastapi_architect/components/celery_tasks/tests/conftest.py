"""A service with real relays, workers and brokers, each a process of its own that a test may kill."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import NullPool, create_engine, select
from sqlalchemy.orm import Session

from fastapi_architect.components import celery_tasks
from fastapi_architect.components.celery_tasks import queue_task
from fastapi_architect.components.celery_tasks.tests import example, tasks
from fastapi_architect.components.database import Database
from fastapi_architect.components.outbox import EventState, OutboxEvent, add_event
from fastapi_architect.components.testing.servers import RedisServer


class Processes:
    """The processes of the example service."""

    def __init__(self, database: Database, database_url: str, broker_url: str) -> None:
        self.database = database
        self.broker_url = broker_url
        self.registry = "components"
        self.log_level = "warning"
        self.environment = {
            "DATABASE_URL": database_url,
            "ENVIRONMENT": "local",
            "CELERY_BROKER_URL": broker_url,
            "OUTBOX_LEASE": "1",
            "OUTBOX_PUBLISH_AGAIN_AFTER": "1",
            "OUTBOX_POLL_INTERVAL": "0.05",
        }

    def session(self) -> Session:
        return self.database.sync_sessions()

    def queue(self, task: Any, **arguments: Any) -> UUID:
        with self.session() as session:
            task_id = queue_task(session, task, **arguments)
            session.commit()
        return task_id

    def add(self, topic: str, **payload: Any) -> UUID:
        with self.session() as session:
            event_id = add_event(session, topic, payload)
            session.commit()
        return event_id

    def event(self, event_id: UUID) -> OutboxEvent:
        with self.session() as session:
            return session.get_one(OutboxEvent, event_id)

    def is_done(self, event_id: UUID) -> bool:
        return self.event(event_id).state is EventState.DONE

    def notes(self) -> list[str]:
        with self.session() as session:
            return list(session.scalars(select(tasks.notes.c.text).order_by(tasks.notes.c.id)))

    @contextmanager
    def running(self, *commands: str, **environment: str) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Run some commands of the component, such as `relay`."""
        with ExitStack() as stack:
            yield [stack.enter_context(self._process(command, environment)) for command in commands]

    @contextmanager
    def _process(self, command: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        arguments = ["-l", self.log_level] if command == "worker" else []
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", celery_tasks.__name__),
                *("--registry", f"{example.__name__}:{self.registry}", command, *arguments),
            ],
            env=os.environ | self.environment | environment,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            kill_tree(process)

    def run_script(self, script: str) -> int:
        """Run Python code in a process of its own; return its exit code."""
        code = f"import os, signal; from {example.__name__} import components; {script}"
        return subprocess.run(
            [sys.executable, "-c", code], env=os.environ | self.environment, check=False
        ).returncode


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all its children at once, as a power cut does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def eventually(question: Callable[[], bool], seconds: float = 18) -> None:
    """Wait until the answer is yes."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def processes(
    database: Database, database_url: str, owner_database_url: str, broker: RedisServer
) -> Iterator[Processes]:
    tasks.notes.create(create_engine(owner_database_url, poolclass=NullPool))
    yield Processes(database, database_url, broker.url)
    database.sync_engine.dispose()
