"""PostgreSQL is the truth: whatever is killed, each task ends once, or as a dead letter with a reason."""

import os
import signal
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import chain, group
from pydantic import SecretStr, ValidationError
from sqlalchemy import update

from fastapi_architect.components import celery_tasks
from fastapi_architect.components.celery_tasks import (
    CelerySettings,
    CeleryTasks,
    create_relay,
    create_worker,
    queue_task,
)
from fastapi_architect.components.celery_tasks.tests import example, tasks
from fastapi_architect.components.celery_tasks.tests.conftest import Processes, eventually, kill_tree
from fastapi_architect.components.database import Base, Database, DatabaseSettings
from fastapi_architect.components.outbox import (
    EventState,
    Outbox,
    OutboxEvent,
    OutboxSettings,
    begin_fan_in,
    dead_letters,
    repository,
)
from fastapi_architect.components.service import Component, Environment
from fastapi_architect.components.service.request_id import bind_request_id
from fastapi_architect.components.testing.servers import (
    PostgresServer,
    RedisServer,
    for_sqlalchemy,
    free_port,
)

LOCAL = Environment.LOCAL


def parts(database: Database, broker_url: str, **more: Any) -> list[Component]:
    """Return the components of the example, for this process."""
    return [
        database,
        CeleryTasks(CelerySettings(broker_url=SecretStr(broker_url), environment=LOCAL, **more)),
        Outbox(OutboxSettings(environment=LOCAL, lease=1, publish_again_after=1)),
        example.Notes(),
    ]


def test_events_and_tasks_travel_through_the_broker_to_a_worker(processes: Processes) -> None:
    bind_request_id("request-1")
    task = processes.queue(tasks.write, text="task")
    whose = processes.queue(tasks.note_request)
    bind_request_id("-")
    event = processes.add("notes.asked", text="event")
    bulk = processes.queue(tasks.write_in_bulk, text="bulk")
    unlucky = processes.queue(tasks.fail_at_first, text="at last")

    with processes.running("relay", "worker"):
        eventually(lambda: all(processes.is_done(one) for one in (task, whose, event, bulk, unlucky)))

    assert sorted(processes.notes()) == ["at last", "bulk", "event", "request-1", "task 1"]
    assert processes.event(task).payload == {"result": "task"}, "the state and the result are in PostgreSQL"
    assert processes.event(unlucky).attempts == 2


def test_what_a_task_is_about_is_not_logged(processes: Processes, capfd: pytest.CaptureFixture[str]) -> None:
    processes.log_level = "info"
    task = processes.queue(tasks.write, text="s3cret")
    with processes.running("relay", "worker"):
        eventually(lambda: processes.is_done(task))
        time.sleep(0.3)

    logged = "".join(capfd.readouterr())
    assert "notes.write" in logged
    assert "s3cret" not in logged


def test_a_chain_and_a_group_run_in_workers(processes: Processes, database: Database) -> None:
    app = create_worker(parts(database, processes.broker_url))
    with processes.running("worker"):
        chain(
            app.tasks["notes.add"].s(1, 2),
            app.tasks["notes.add"].s(3),
            group(app.tasks["notes.write"].si(text="left"), app.tasks["notes.write"].si(text="right")),
        ).apply_async()
        eventually(lambda: len(processes.notes()) == 2)

    assert sorted(processes.notes()) == ["left 1", "right 1"]


def test_a_task_starts_the_next_one_with_its_own_commit(processes: Processes) -> None:
    """The chain that survives everything: what follows is committed with what it follows, and rolled back with it."""
    processes.queue(tasks.write_first, text="first")
    with processes.running("relay", "worker"):
        eventually(lambda: "then 1" in processes.notes())

    assert processes.notes() == ["first", "then 1"]


def test_sigterm_lets_a_task_end(processes: Processes, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    task = processes.queue(tasks.write_slowly, text="slow", seconds=1.5, pid_file=str(pid_file))
    with processes.running("relay", "worker") as (_, worker):
        eventually(lambda: pid_file.exists() and pid_file.read_text() != "")
        worker.terminate()
        assert worker.wait(15) == 0

    assert processes.is_done(task)
    assert processes.notes() == ["slow 1"]


def test_a_link_of_a_chain_that_fails_is_tried_again_with_the_rest_of_the_chain(
    processes: Processes, database: Database
) -> None:
    app = create_worker(parts(database, processes.broker_url))
    with processes.running("worker"):
        chain(app.tasks["notes.unlucky"].s(text="first"), app.tasks["notes.write"].s()).apply_async()
        eventually(lambda: len(processes.notes()) == 2)

    assert processes.notes() == ["first", "first 1"]


def test_a_chord_is_possible_with_a_result_backend(processes: Processes, database: Database) -> None:
    app = create_worker(parts(database, processes.broker_url, result_url=SecretStr(processes.broker_url)))
    with processes.running("worker", CELERY_RESULT_URL=processes.broker_url):
        header = group(app.tasks["notes.add"].s(number, number) for number in range(5))
        (header | app.tasks["notes.total"].s()).apply_async()
        eventually(lambda: processes.notes() == ["total 20"])


def test_the_last_of_many_parts_starts_what_comes_then(processes: Processes) -> None:
    with processes.session() as session:
        fan_in = begin_fan_in(session, 6, "notes.asked", {"text": "all done"})
        ids = [
            queue_task(session, tasks.write_part, text=f"part {number}", fan_in_id=str(fan_in))
            for number in range(6)
        ]
        session.commit()

    with processes.running("relay", "worker"):
        eventually(lambda: "all done" in processes.notes())

    assert all(processes.is_done(one) for one in ids)
    assert sorted(processes.notes()) == ["all done", *(f"part {number}" for number in range(6))]


def test_a_process_killed_in_a_task_costs_an_attempt_and_nothing_else(
    processes: Processes, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    task = processes.queue(tasks.write_slowly, text="slow", seconds=1.5, pid_file=str(pid_file))
    with processes.running("relay", "worker"):
        eventually(lambda: pid_file.exists() and pid_file.read_text() != "")
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        eventually(lambda: processes.is_done(task))

    assert processes.notes() == ["slow 2"]


def test_a_worker_killed_with_all_its_processes_costs_an_attempt_and_nothing_else(
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


def test_a_broker_that_is_killed_and_forgets_everything_loses_nothing(
    processes: Processes, broker: RedisServer
) -> None:
    ids = [processes.queue(tasks.write, text=str(number)) for number in range(5)]
    with processes.running("relay"):
        eventually(lambda: all(processes.event(one).published_at is not None for one in ids))
        broker.stop()
        ids += [processes.add("notes.asked", text=str(number)) for number in range(5, 8)]
        broker.start()
        with processes.running("worker"):
            eventually(lambda: all(processes.is_done(one) for one in ids))

    assert sorted(note[0] for note in processes.notes()) == [str(number) for number in range(8)]


def test_a_broker_that_comes_back_empty_gets_everything_again_at_once(
    processes: Processes, broker: RedisServer
) -> None:
    # A relay that waits for its time would send it again after the test, and long after a user has lost patience.
    with processes.running("relay", OUTBOX_PUBLISH_AGAIN_AFTER="3600"):
        ids = [processes.queue(tasks.write, text=str(number)) for number in range(3)]
        eventually(lambda: all(processes.event(one).published_at is not None for one in ids))
        broker.stop()
        broker.start()
        with processes.running("worker"):
            eventually(lambda: all(processes.is_done(one) for one in ids))

    assert sorted(note[0] for note in processes.notes()) == ["0", "1", "2"]


def test_a_database_that_crashes_is_waited_for(broker: RedisServer, tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "postgresql")
    url = for_sqlalchemy(server.url)
    database = Database(DatabaseSettings(url=SecretStr(url), environment=LOCAL))
    Base.metadata.create_all(database.sync_engine)
    tasks.notes.create(database.sync_engine)
    processes = Processes(database, url, broker.url)
    try:
        with processes.running("relay", "worker"):
            before = processes.queue(tasks.write, text="before")
            eventually(lambda: processes.is_done(before))
            server.stop("immediate")
            time.sleep(0.5)
            server.start()
            after = processes.queue(tasks.write, text="after")
            eventually(lambda: processes.is_done(after))
    finally:
        database.sync_engine.dispose()
        server.stop("immediate")


def test_a_task_that_kills_its_process_ends_as_a_dead_letter_and_the_queue_moves(
    processes: Processes,
) -> None:
    poison = processes.queue(tasks.kill_the_worker)
    with processes.running("relay", "worker"):
        eventually(lambda: processes.event(poison).attempts >= 1)
        good = processes.queue(tasks.write, text="good")
        eventually(lambda: processes.is_done(good))
        eventually(lambda: processes.event(poison).state is EventState.DEAD)

    assert processes.notes() == ["good 1"]
    with processes.session() as session:
        letters = dead_letters(session)
    assert [(letter.id, letter.attempts, letter.last_error) for letter in letters] == [
        (poison, 3, repository.DIED)
    ]


def test_a_relay_killed_after_publishing_publishes_twice_and_the_effect_is_one(processes: Processes) -> None:
    ids = [processes.queue(tasks.write, text="a"), processes.add("notes.asked", text="b")]
    die_before_the_stamp = (
        f"from {celery_tasks.__name__} import create_relay; relay = create_relay(components()); "
        "relay._note = lambda *_: os.kill(os.getpid(), signal.SIGKILL); relay.publish_due()"
    )
    for _ in range(2):
        assert processes.run_script(die_before_the_stamp) == -signal.SIGKILL
        time.sleep(1.1)

    assert [processes.event(one).published_at for one in ids] == [None, None]
    with redis.Redis.from_url(processes.broker_url) as client:
        assert sum(int(client.llen(key)) for key in client.keys("default*")) >= 3, (
            "duplicates are in the broker"
        )
    with processes.running("relay", "worker"):
        eventually(lambda: all(processes.is_done(one) for one in ids))
        time.sleep(0.5)
    assert sorted(processes.notes()) == ["a 1", "b"]


def test_adding_an_event_does_not_wait_for_a_broker_that_is_down(
    processes: Processes, broker: RedisServer
) -> None:
    broker.stop()
    began = time.monotonic()
    for _ in range(20):
        processes.queue(tasks.write, text="later")

    assert time.monotonic() - began < 2


def test_a_broker_that_accepts_and_never_answers_does_not_hold_a_relay_for_long(
    processes: Processes, database: Database
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        processes.queue(tasks.write, text="later")
        relay = create_relay(parts(database, url))
        began = time.monotonic()
        with pytest.raises(Exception, match=r"(?i)time|connect|error"):
            relay.publish_due()
        assert time.monotonic() - began < 15


def test_what_is_urgent_overtakes_what_waits(processes: Processes, database: Database) -> None:
    relay = create_relay(parts(database, processes.broker_url))
    for number in range(5):
        processes.add("notes.asked", text=f"ordinary {number}")
    relay.publish_due()
    processes.add("notes.urgent", text="urgent")
    relay.publish_due()
    with processes.running("worker", CELERY_CONCURRENCY="1"):
        eventually(lambda: len(processes.notes()) == 6)

    assert "urgent" in processes.notes()[:2]


def test_an_event_that_waited_long_is_put_where_urgent_ones_are(
    processes: Processes, database: Database
) -> None:
    relay = create_relay(parts(database, processes.broker_url))
    processes.add("notes.asked", text="event")
    processes.queue(tasks.write, text="task")
    with processes.session() as session:
        hour = timedelta(hours=1)
        session.execute(update(OutboxEvent).values(held_until=OutboxEvent.held_until - hour))
        session.commit()
    relay.publish_due()

    with redis.Redis.from_url(processes.broker_url) as client:
        assert client.llen("default") == 2  # the list of priority 0; the others have theirs in their names


def test_beats_and_relays_queue_a_schedule_once(processes: Processes) -> None:
    processes.registry = "components_that_tick"
    began = time.monotonic()
    with processes.running("beat", "beat", "relay", "worker"):
        eventually(lambda: len(processes.notes()) >= 3)

    assert len(processes.notes()) <= time.monotonic() - began + 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_serializer", "json"),
        ("accept_content", ["json"]),
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", True),
        ("worker_prefetch_multiplier", 1),
        ("task_ignore_result", True),
        ("result_backend", None),
        ("task_create_missing_queues", False),
    ],
)
def test_what_was_measured_is_configured(database: Database, name: str, value: object) -> None:
    app = create_worker(parts(database, f"redis://127.0.0.1:{free_port()}/0"))

    assert app.conf[name] == value


def test_no_message_is_delivered_again_before_its_task_was_killed(database: Database) -> None:
    app = create_worker(parts(database, f"redis://127.0.0.1:{free_port()}/0"))

    assert app.conf.task_soft_time_limit < app.conf.task_time_limit
    assert app.conf.task_time_limit < app.conf.broker_transport_options["visibility_timeout"]


def test_a_message_with_a_pickle_is_not_read(
    processes: Processes, database: Database, tmp_path: Path
) -> None:
    planted = tmp_path / "planted"
    app = create_worker(parts(database, processes.broker_url))

    class Attack:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {planted}",)

    app.send_task("notes.write", kwargs={"text": Attack()}, serializer="pickle", queue="default")
    after = processes.queue(tasks.write, text="after")
    with processes.running("relay", "worker"):
        eventually(lambda: processes.is_done(after))

    assert not planted.exists()


def test_arguments_are_checked_before_a_task_is_queued(database: Database) -> None:
    with database.sync_sessions() as session, pytest.raises(TypeError):
        queue_task(session, tasks.write, texts="wrong")


def test_a_queue_that_nobody_listens_to_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match=r"names the queue 'bulk': add it to CELERY_QUEUES \(default\)"):
        create_worker(parts(database, "redis://127.0.0.1:1/0", queues="default"))


def test_settings_that_contradict_each_other_are_refused() -> None:
    url = SecretStr("redis://127.0.0.1:1/0")
    contradictions: list[dict[str, Any]] = [
        {"soft_time_limit": 60, "time_limit": 60},
        {"queues": "bulk"},
        {"broker_url": SecretStr("sqs://127.0.0.1")},
        {"result_url": SecretStr("amqp://127.0.0.1")},
    ]
    for wrong in contradictions:
        with pytest.raises(ValidationError):
            CelerySettings(environment=LOCAL, **({"broker_url": url} | wrong))
