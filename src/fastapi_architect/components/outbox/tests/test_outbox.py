"""An event is real when its cause is; it is done at least once, its effect happens once, and nothing is tried for ever."""

import os
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text, update

from fastapi_architect.components.database import Database
from fastapi_architect.components.outbox import (
    DirectWorker,
    EventState,
    HandlerContext,
    OutboxEvent,
    Outcome,
    Periodic,
    Publication,
    Relay,
    Retries,
    add_event,
    dead_letters,
    execution,
    measure,
    queue_due,
    replay,
    repository,
)
from fastapi_architect.components.outbox.models import ScheduleSlot
from fastapi_architect.components.outbox.schedule import move_on
from fastapi_architect.components.outbox.tests import example
from fastapi_architect.components.outbox.tests.conftest import Service, eventually, kill_tree
from fastapi_architect.components.problem_details import InvalidInput
from fastapi_architect.components.service.request_id import bind_request_id, current_request_id


class Broker:
    """Remembers what was published; may be down."""

    def __init__(self) -> None:
        self.messages: list[UUID] = []
        self.accepts = 1_000_000

    def publish(self, publication: Publication) -> None:
        if self.accepts == 0:
            raise ConnectionError("the broker is down")
        self.accepts -= 1
        self.messages.append(publication.id)


@pytest.mark.anyio
async def test_a_rollback_takes_the_event_with_it(database: Database) -> None:
    async with database.sessions() as session:
        add_event(session, "greetings.asked", {"name": "ann"})
        await session.flush()
        await session.rollback()
    async with database.sessions() as session:
        event_id = add_event(session, "greetings.asked", {"name": "bob"})
        await session.commit()
        assert [event.id for event in await session.scalars(select(OutboxEvent))] == [event_id]
    await database.engine.dispose()


@pytest.mark.parametrize(
    "payload", [{"name": "a\x00b"}, {"deep": [{"key": "\x00"}]}, {"\x00": 1}, {"name": "\ud800"}]
)
def test_text_that_postgresql_cannot_hold_is_the_callers_mistake(service: Service, payload: Any) -> None:
    with service.session() as session, pytest.raises(InvalidInput):
        add_event(session, "greetings.asked", payload)


def test_a_backslash_before_zeros_is_ordinary_text(service: Service) -> None:
    event_id = service.add("greetings.asked", {"name": "\\u0000"})

    assert service.runtime.handle(event_id) is Outcome.DONE
    assert service.notes() == ["hello \\u0000"]


def test_a_large_payload_is_refused_before_it_is_stored(service: Service) -> None:
    with service.session() as session, pytest.raises(ValueError, match="store the data"):
        add_event(session, "greetings.asked", {"name": "x" * 70_000})


def test_the_handler_writes_in_the_transaction_that_finishes_the_event(service: Service) -> None:
    event_id = service.add("greetings.asked", {"name": "ann"})

    assert service.runtime.handle(event_id) is Outcome.DONE

    assert service.notes() == ["hello ann"]
    event = service.event(event_id)
    assert (event.state, event.payload, event.attempts) == (EventState.DONE, {}, 1)


def test_a_second_delivery_has_no_effect(service: Service) -> None:
    event_id = service.add("greetings.asked", {"name": "ann"})

    outcomes = [service.runtime.handle(event_id) for _ in range(3)]

    assert outcomes == [Outcome.DONE, Outcome.SKIPPED, Outcome.SKIPPED]
    assert service.notes() == ["hello ann"]


def test_deliveries_at_the_same_time_have_one_effect(service: Service) -> None:
    event_id = service.add("greetings.slow", {"name": "ann", "seconds": 0.3})
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(service.runtime.handle(event_id))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["done", "skipped", "skipped", "skipped", "skipped"]
    assert service.notes() == ["hello ann at attempt 1"]


def test_work_longer_than_the_lease_is_held_by_signs_of_life(service: Service) -> None:
    event_id = service.add("greetings.slow", {"name": "ann", "seconds": 2.5})
    thread = threading.Thread(target=service.runtime.handle, args=(event_id,))
    thread.start()
    outcomes = []
    while thread.is_alive():
        thread.join(0.25)
        outcomes.append(service.runtime.handle(event_id))

    assert set(outcomes) == {Outcome.SKIPPED}
    assert service.notes() == ["hello ann at attempt 1"]


def test_a_worker_that_comes_back_late_cannot_write(service: Service) -> None:
    """A process that was stopped, or cut off, while another one did its work."""
    event_id = service.add("greetings.asked", {"name": "ann"})
    with service.session() as session:
        late = repository.claim(session, event_id, timedelta(seconds=1))
        session.commit()
    assert late is not None
    service.let_time_pass()
    assert service.runtime.handle(event_id) is Outcome.DONE

    def write(context: Any) -> None:
        context.session.execute(insert(example.notes).values(text="too late"))

    assert service.runtime.perform(late, example.QUICKLY, write) is Outcome.LOST
    assert service.notes() == ["hello ann"]


def test_a_failure_rolls_back_and_is_tried_again_later_and_then_given_up(service: Service) -> None:
    event_id = service.add("greetings.failing")

    assert service.runtime.handle(event_id) is Outcome.RETRYING
    assert service.event(event_id).state is EventState.RETRYING
    assert service.runtime.handle(event_id) in {Outcome.SKIPPED, Outcome.RETRYING}
    service.let_time_pass()
    while (outcome := service.runtime.handle(event_id)) is not Outcome.DEAD:
        service.let_time_pass()

    assert outcome is Outcome.DEAD
    event = service.event(event_id)
    assert (event.state, event.attempts, event.last_error) == (EventState.DEAD, 3, "RuntimeError: no luck")
    assert service.notes() == []


def test_a_reason_with_half_a_character_is_kept_as_well_as_it_can_be(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest keeps what is logged, and cannot pass half a character from one of its processes to another.
    monkeypatch.setattr(execution.logger, "disabled", True)
    event_id = service.add("greetings.unspeakable")

    service.runtime.handle(event_id)

    assert service.event(event_id).last_error == "RuntimeError: no luck?"


def test_the_pauses_double_and_differ() -> None:
    retries = Retries(attempts=20, first=4, longest=100)

    for attempt, whole in [(1, 4), (2, 8), (3, 16), (9, 100), (2000, 100)]:
        pauses = {retries.delay(attempt).total_seconds() for _ in range(20)}
        assert all(whole / 2 <= pause <= whole for pause in pauses)
        assert len(pauses) > 1


def test_what_cannot_work_is_given_up_at_once(service: Service) -> None:
    event_id = service.add("greetings.hopeless")

    assert service.runtime.handle(event_id) is Outcome.DEAD
    assert service.event(event_id).last_error == "there is no such person"


def test_a_handler_may_say_when_to_come_back(service: Service) -> None:
    event_id = service.add("greetings.later")
    service.runtime.handle(event_id)

    service.let_time_pass(hours=1)
    assert service.runtime.handle(event_id) is Outcome.SKIPPED
    service.let_time_pass(hours=1.1)
    assert service.runtime.handle(event_id) is Outcome.RETRYING


def test_a_topic_that_nobody_handles_waits_for_the_release_that_does(service: Service) -> None:
    event_id = service.add("greetings.of_tomorrow")

    assert service.runtime.handle(event_id) is Outcome.RETRYING
    assert "nothing handles 'greetings.of_tomorrow'" in (service.event(event_id).last_error or "")


def test_each_of_two_handlers_is_tried_by_itself(service: Service) -> None:
    service.add("greetings.to_two")
    while service.runtime.handle_next() is not None:
        pass
    service.let_time_pass()
    while service.runtime.handle_next() is not None:
        pass

    assert service.notes() == ["one", "another"]


def test_a_dead_letter_can_be_replayed(service: Service) -> None:
    event_id = service.add("greetings.hopeless")
    service.runtime.handle(event_id)
    with service.session() as session:
        assert [event.id for event in dead_letters(session)] == [event_id]
        assert [event.id for event in dead_letters(session, topic="greetings.asked")] == []
        session.execute(update(OutboxEvent).values(topic="greetings.asked", payload={"name": "ann"}))
        assert replay(session, event_id)
        assert not replay(session, event_id)
        session.commit()

    assert service.runtime.handle(event_id) is Outcome.DONE
    assert service.notes() == ["hello ann"]


def test_the_request_that_caused_an_event_is_known_to_its_handler(service: Service) -> None:
    bind_request_id("r-1")
    event_id = service.add("greetings.asked", {"name": "ann"})
    bind_request_id("-")

    assert service.event(event_id).request_id == "r-1"
    service.runtime.handle(event_id)
    assert current_request_id() == "-", "what a worker logs between two events is about no request"


def test_an_event_may_wait(service: Service) -> None:
    event_id = service.add("greetings.asked", {"name": "ann"}, delay=timedelta(minutes=30))

    assert service.runtime.handle(event_id) is Outcome.SKIPPED
    assert service.runtime.handle_next() is None
    service.let_time_pass()
    assert service.runtime.handle_next() is Outcome.DONE


def test_the_backlog_is_measured(service: Service) -> None:
    service.add("greetings.asked", {"name": "ann"})
    service.add("greetings.asked", {"name": "bob"}, delay=timedelta(days=1))
    service.runtime.handle(service.add("greetings.hopeless"))
    with service.session() as session:
        session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.payload["name"].astext == "ann")
            .values(held_until=text("now() - interval '90 seconds'"))
        )
        backlog = measure(session)

    assert (backlog.open, backlog.due, backlog.dead) == (2, 1, 1)
    assert 89 < backlog.lag < 100


def test_the_clean_up_deletes_what_is_old_and_finished_and_nothing_else(service: Service) -> None:
    done, dead = service.add("greetings.asked", {"name": "ann"}), service.add("greetings.hopeless")
    waiting = service.add("greetings.asked", {"name": "bob"})
    service.runtime.handle(done)
    service.runtime.handle(dead)
    with service.session() as session:
        assert repository.delete_finished(session, timedelta(days=1), timedelta(days=1)) == 0
        session.execute(
            update(OutboxEvent).values(
                processed_at=OutboxEvent.processed_at - timedelta(days=8),
                dead_at=OutboxEvent.dead_at - timedelta(days=8),
                created_at=OutboxEvent.created_at - timedelta(days=800),
            )
        )
        assert repository.delete_finished(session, timedelta(days=7), timedelta(days=90)) == 1
        assert set(session.scalars(select(OutboxEvent.id))) == {dead, waiting}


def test_several_relays_take_each_event_once(service: Service) -> None:
    ids = {service.add("greetings.asked", {"name": str(number)}) for number in range(60)}
    brokers = [Broker() for _ in range(4)]
    relays = [Relay(service.database.sync_sessions, broker, batch=10) for broker in brokers]

    def publish_all(relay: Relay) -> None:
        while relay.publish_due():
            pass

    threads = [threading.Thread(target=publish_all, args=(relay,)) for relay in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    messages = [message for broker in brokers for message in broker.messages]
    assert len(messages) == len(ids) == 60
    assert set(messages) == ids


def test_what_a_broker_did_not_accept_is_published_soon(service: Service) -> None:
    ids = [service.add("greetings.asked", {"name": str(number)}) for number in range(3)]
    broker = Broker()
    broker.accepts = 1
    relay = Relay(service.database.sync_sessions, broker)
    with pytest.raises(ConnectionError):
        relay.publish_due()

    broker.accepts = 10
    with service.session() as session:
        session.execute(update(OutboxEvent).values(publish_at=OutboxEvent.publish_at - timedelta(seconds=2)))
        session.commit()
    assert relay.publish_due() == 2
    assert broker.messages == ids


def test_what_a_broker_forgot_is_published_again_each_time_later(service: Service) -> None:
    event_id = service.add("greetings.asked", {"name": "ann"})
    broker = Broker()
    relay = Relay(service.database.sync_sessions, broker, again_after=timedelta(minutes=1))
    waits = []
    for _ in range(4):
        relay.publish_due()
        event = service.event(event_id)
        assert event.publish_at is not None
        assert event.published_at is not None
        waits.append(round((event.publish_at - event.published_at).total_seconds() / 60))
        service.let_time_pass(hours=2)

    assert broker.messages == [event_id] * 4
    assert waits == [1, 2, 4, 8]


def test_a_broker_that_says_that_it_has_forgotten_gets_what_nobody_has_begun(service: Service) -> None:
    class Forgetful(Broker):
        forgotten = True

        def has_forgotten(self) -> bool:
            return self.forgotten

        def remember(self) -> None:
            self.forgotten = False

    waiting, held = (service.add("greetings.asked", {"name": name}) for name in ("ann", "bob"))
    broker = Forgetful()
    relay = Relay(service.database.sync_sessions, broker, again_after=timedelta(days=1))
    relay.publish_due()
    with service.session() as session:
        repository.claim(session, held, timedelta(seconds=60))
        session.commit()

    relay.ask_broker()
    relay.publish_due()

    assert broker.messages == [waiting, held, waiting]
    assert not broker.forgotten


def test_what_a_worker_holds_is_not_published(service: Service) -> None:
    event_id = service.add("greetings.asked", {"name": "ann"})
    with service.session() as session:
        repository.claim(session, event_id, timedelta(seconds=60))
        session.commit()

    assert Relay(service.database.sync_sessions, Broker()).publish_due() == 0


def test_a_schedule_is_queued_once_a_slot_however_many_schedulers_there_are(service: Service) -> None:
    schedules = {"greet": Periodic("greetings.asked", timedelta(hours=1), payload={"name": "all"})}

    def tick() -> list[str]:
        with service.session() as session:
            queued = list(queue_due(session, schedules))
            session.commit()
        return queued

    def next_slot() -> None:
        with service.session() as session:
            session.execute(update(ScheduleSlot).values(slot=ScheduleSlot.slot - 50))
            session.commit()

    assert tick() == [], "a schedule that was never seen waits for its next slot"
    next_slot()
    queued: list[str] = []
    threads = [threading.Thread(target=lambda: queued.extend(tick())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queued == ["greet"], "fifty missed slots are one event"
    next_slot()
    assert tick() == [], "the last one is still open: nothing piles up"
    assert service.runtime.handle_next() is Outcome.DONE
    next_slot()
    assert tick() == ["greet"]


def test_a_slot_is_moved_on_by_one_scheduler(service: Service) -> None:
    """Also by one that read the last slot long before."""
    with service.session() as session:
        assert [move_on(session, "greet", slot) for slot in (5, 5, 4, 6)] == [True, False, False, True]


def test_the_direct_worker_handles_what_comes(service: Service) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=DirectWorker(service.runtime, poll_interval=0.02).run, args=(stop,))
    thread.start()
    for name in ("ann", "bob", "cid"):
        service.add("greetings.asked", {"name": name})
    eventually(lambda: len(service.notes()) == 3)
    stop.set()
    thread.join(5)

    assert not thread.is_alive()
    assert sorted(service.notes()) == ["hello ann", "hello bob", "hello cid"]


def test_a_worker_killed_in_the_middle_loses_nothing(service: Service) -> None:
    event_id = service.add("greetings.slow", {"name": "ann", "seconds": 1.5})
    with service.worker() as process:
        eventually(lambda: service.event(event_id).state is EventState.RUNNING)
        kill_tree(process)
    assert service.notes() == []

    with service.worker():
        eventually(lambda: service.event(event_id).state is EventState.DONE)
    assert service.notes() == ["hello ann at attempt 2"]


def test_an_event_that_kills_its_worker_ends_as_a_dead_letter(service: Service) -> None:
    poison, good = service.add("greetings.poison"), service.add("greetings.asked", {"name": "ann"})
    with service.worker():
        eventually(lambda: service.event(poison).state is EventState.DEAD, 25)
        eventually(lambda: service.event(good).state is EventState.DONE)

    event = service.event(poison)
    assert (event.state, event.attempts) == (EventState.DEAD, 3)
    assert event.last_error == repository.DIED


def test_a_worker_ends_with_its_parent(service: Service) -> None:
    with service.worker() as process:
        first = service.add("greetings.asked", {"name": "ann"})
        eventually(lambda: service.event(first).state is EventState.DONE)
        process.kill()
        process.wait()
        eventually(lambda: not is_alive(process.pid))


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_sigterm_ends_what_was_begun(service: Service) -> None:
    event_id = service.add("greetings.slow", {"name": "ann", "seconds": 1})
    with service.worker() as process:
        eventually(lambda: service.event(event_id).state is EventState.RUNNING)
        process.terminate()
        assert process.wait(10) == 0

    assert service.notes() == ["hello ann at attempt 1"]


def test_a_database_that_breaks_off_is_waited_for(service: Service) -> None:
    with service.worker():
        first = service.add("greetings.asked", {"name": "ann"})
        eventually(lambda: service.event(first).state is EventState.DONE)
        with service.database.sync_engine.connect() as connection:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.execute(text(f"{cut} AND datname = current_database()"))
        service.database.sync_engine.dispose()
        second = service.add("greetings.asked", {"name": "bob"})
        eventually(lambda: service.event(second).state is EventState.DONE)

    assert service.notes() == ["hello ann", "hello bob"]


def test_a_handler_may_take_longer_than_a_request(service: Service) -> None:
    event_id = service.add("greetings.asked", {"name": "ann"})
    with service.session() as session:
        attempt = repository.claim(session, event_id, timedelta(seconds=10))
        session.commit()
        service_limit = session.scalar(text("SHOW statement_timeout"))
    assert attempt is not None
    limits: list[object] = []

    def look(context: HandlerContext) -> None:
        limits.append(context.session.scalar(text("SHOW statement_timeout")))

    assert service.runtime.perform(attempt, example.QUICKLY, look) is Outcome.DONE
    with service.session() as session:
        limits.append(session.scalar(text("SHOW statement_timeout")))
    assert limits == ["1min", service_limit]


def test_observers_hear_how_each_attempt_ended(service: Service) -> None:
    service.runtime.handle(service.add("greetings.asked", {"name": "ann"}))
    service.runtime.handle(service.add("greetings.failing"))

    assert service.outcomes == [
        ("greetings.asked", Outcome.DONE),
        ("greetings.failing", Outcome.RETRYING),
    ]


def test_what_the_broker_lost_and_no_relay_sends_again_is_a_dead_letter(service: Service) -> None:
    event_id = service.add("greetings.asked", {"name": "ann"})
    ordinary = service.add("greetings.asked", {"name": "bob"})
    with service.session() as session:
        session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.id == event_id)
            .values(publish_at=None, held_until=OutboxEvent.held_until - timedelta(days=2))
        )
        assert repository.bury_forgotten(session, timedelta(days=1)) == 1
        session.commit()

    assert service.event(event_id).last_error == repository.FORGOTTEN
    assert service.event(ordinary).state is EventState.WAITING
