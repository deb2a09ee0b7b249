"""The same promises on RabbitMQ, where AMQP_URL names one that these tests may empty: `amqp://guest:guest@127.0.0.1:5672//`."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from celery import Celery
from sqlalchemy import NullPool, create_engine, update

from fastapi_architect.components.celery_tasks import create_relay
from fastapi_architect.components.celery_tasks.brokers import MARK
from fastapi_architect.components.celery_tasks.tests import tasks
from fastapi_architect.components.celery_tasks.tests.conftest import Processes, eventually, kill_tree
from fastapi_architect.components.celery_tasks.tests.test_celery_tasks import parts
from fastapi_architect.components.database import Database
from fastapi_architect.components.outbox import EventState, OutboxEvent, Priority

AMQP_URL = os.environ.get("AMQP_URL", "")
pytestmark = pytest.mark.skipif(not AMQP_URL, reason="AMQP_URL names no RabbitMQ: it stays untested here")


class RabbitMqServer:
    """A server that somebody else runs, and its queues."""

    url = AMQP_URL

    def forget(self) -> None:
        """Lose every message, and the mark with them, as a server does that comes back without its disk."""
        with Celery(broker=self.url).connection_for_write() as connection:
            for queue in ("default", "bulk"):
                with connection.channel() as channel, suppress(*connection.channel_errors):
                    channel.queue_purge(queue)
            with connection.channel() as channel:
                channel.queue_delete(MARK)


@pytest.fixture
def rabbitmq() -> Iterator[RabbitMqServer]:
    server = RabbitMqServer()
    server.forget()
    yield server
    server.forget()


@pytest.fixture
def processes(
    database: Database, database_url: str, owner_database_url: str, rabbitmq: RabbitMqServer
) -> Iterator[Processes]:
    tasks.notes.create(create_engine(owner_database_url, poolclass=NullPool))
    yield Processes(database, database_url, rabbitmq.url)
    database.sync_engine.dispose()


def test_events_and_tasks_travel_through_rabbitmq(processes: Processes) -> None:
    task = processes.queue(tasks.write, text="task")
    event = processes.add("notes.asked", text="event")
    bulk = processes.queue(tasks.write_in_bulk, text="bulk")
    unlucky = processes.queue(tasks.fail_at_first, text="at last")

    with processes.running("relay", "worker"):
        eventually(lambda: all(processes.is_done(one) for one in (task, event, bulk, unlucky)))

    assert sorted(processes.notes()) == ["at last", "bulk", "event", "task 1"]


def test_what_is_urgent_or_has_waited_long_overtakes_what_waits(
    processes: Processes, database: Database
) -> None:
    relay = create_relay(parts(database, AMQP_URL))
    for number in range(5):
        processes.add("notes.asked", text=f"ordinary {number}")
    late = processes.add("notes.asked", text="late")
    with processes.session() as session:
        session.execute(update(OutboxEvent).where(OutboxEvent.id == late).values(priority=int(Priority.LOW)))
        session.commit()
    relay.publish_due()
    processes.add("notes.urgent", text="urgent")
    relay.publish_due()
    with processes.running("worker", CELERY_CONCURRENCY="1"):
        eventually(lambda: len(processes.notes()) == 7)

    assert "urgent" in processes.notes()[:2]
    assert processes.notes()[-1] == "late"


def test_a_rabbitmq_that_comes_back_empty_gets_everything_again_at_once(
    processes: Processes, rabbitmq: RabbitMqServer
) -> None:
    with processes.running("relay", OUTBOX_PUBLISH_AGAIN_AFTER="3600"):
        ids = [processes.queue(tasks.write, text=str(number)) for number in range(3)]
        eventually(lambda: all(processes.event(one).published_at is not None for one in ids))
        rabbitmq.forget()
        with processes.running("worker"):
            eventually(lambda: all(processes.is_done(one) for one in ids))

    assert sorted(note[0] for note in processes.notes()) == ["0", "1", "2"]


def test_a_worker_killed_with_all_its_processes_costs_an_attempt_on_rabbitmq_too(
    processes: Processes, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    task = processes.queue(tasks.write_slowly, text="slow", seconds=1.5, pid_file=str(pid_file))
    with processes.running("relay", "worker") as (_, worker):
        eventually(lambda: pid_file.exists() and pid_file.read_text() != "")
        kill_tree(worker)
        with processes.running("worker"):
            eventually(lambda: processes.is_done(task))

    assert processes.notes() == ["slow 2"]


def test_a_task_that_kills_its_process_ends_as_a_dead_letter_on_rabbitmq_too(processes: Processes) -> None:
    poison = processes.queue(tasks.kill_the_worker)
    with processes.running("relay", "worker"):
        eventually(lambda: processes.event(poison).attempts >= 1)
        good = processes.queue(tasks.write, text="good")
        eventually(lambda: processes.is_done(good))
        eventually(lambda: processes.event(poison).state is EventState.DEAD)

    assert processes.notes() == ["good 1"]
