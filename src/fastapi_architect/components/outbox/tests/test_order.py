"""What is urgent comes first, nobody waits behind all that somebody else has brought, and a dead letter is looked at once."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import create_engine, insert, select, text, update
from uuid_utils.compat import uuid7

from fastapi_architect.components.outbox import (
    EventState,
    OutboxEvent,
    Outcome,
    Priority,
    add_event,
    begin_fan_in,
    complete_part,
    dead_letters,
    measure,
    notice,
    replay,
    repository,
    settle,
    unnoticed,
)
from fastapi_architect.components.outbox.order import risen
from fastapi_architect.components.outbox.tests.conftest import Service

HOUR = timedelta(hours=1)


def brought(service: Service, lane: str, count: int = 1, **more: Priority) -> None:
    for number in range(count):
        service.add("greetings.asked", {"name": f"{lane}{number}"}, lane=lane, **more)


def served(service: Service, count: int) -> list[str]:
    """Serve so many events, and return whose they were."""
    before = len(service.notes())
    for _ in range(count):
        assert service.runtime.handle_next() is Outcome.DONE
    return [note.removeprefix("hello ") for note in service.notes()[before:]]


def test_what_is_urgent_overtakes_what_came_before(service: Service) -> None:
    brought(service, "low", priority=Priority.LOW)
    brought(service, "normal")
    brought(service, "high", priority=Priority.HIGH)

    assert served(service, 3) == ["high0", "normal0", "low0"]


def test_what_has_waited_long_is_no_longer_overtaken(service: Service) -> None:
    brought(service, "low", 2, priority=Priority.LOW)
    brought(service, "normal", 2)
    service.let_time_pass(1)
    brought(service, "high", priority=Priority.HIGH)

    # Of those that wait for an hour the urgent ones still come first; then only what was urgent from the beginning is left.
    assert served(service, 5) == ["normal0", "normal1", "low0", "low1", "high0"]


def test_what_is_less_urgent_gets_its_turn_while_urgent_things_never_end(service: Service) -> None:
    brought(service, "low", 3, priority=Priority.LOW)
    found: list[str] = []
    for _ in range(12):
        brought(service, "high", 2, priority=Priority.HIGH)
        found += served(service, 1)
        service.let_time_pass(2 / 60)  # two minutes

    # After ten minutes it is as urgent as they are, and older than most of them.
    assert "low0" not in found[:4]
    assert any(name.startswith("low") for name in found)


def test_a_worker_for_some_queues_leaves_what_is_of_others(service: Service) -> None:
    bulk = service.add("greetings.in_bulk", {"name": "bulk"}, priority=Priority.HIGH)
    service.add("greetings.asked", {"name": "short"}, priority=Priority.LOW)
    unknown = service.add("greetings.of_a_newer_release")
    two = service.add("greetings.to_two", {"name": "two"})

    while service.runtime.handle_next(["default"]) is not None:
        pass
    assert "hello short" in service.notes()
    assert service.event(bulk).attempts == 0
    assert service.event(unknown).attempts == 1  # nobody else would say that nothing handles it
    assert service.event(two).state is EventState.DONE

    assert service.runtime.handle_next(["bulk"]) is Outcome.DONE
    assert service.event(bulk).state is EventState.DONE


def test_a_broker_is_told_that_something_has_waited_long(service: Service) -> None:
    brought(service, "low", priority=Priority.LOW)
    steps = []
    for minutes in (0, 6, 5, 60):
        service.let_time_pass(minutes / 60)
        with service.session() as session:
            [found] = repository.take_for_publishing(session, 10, timedelta(0))
            session.commit()
        steps.append(found.risen)

    assert steps == [0, 1, 2, 14]
    assert [risen(Priority.LOW, each) for each in steps] == [
        Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.HIGH,
    ]  # fmt: skip


def test_who_brings_one_thing_waits_for_one_thing_of_who_brought_a_hundred(service: Service) -> None:
    brought(service, "a", 100)
    assert served(service, 10) == [f"a{number}" for number in range(10)]
    brought(service, "b", 3)

    # The turn of a10 has come already; from then on it is one of each.
    assert served(service, 7) == ["a10", "b0", "a11", "b1", "a12", "b2", "a13"]


def test_who_always_brings_the_next_thing_does_not_keep_others_waiting(service: Service) -> None:
    brought(service, "a", 5)
    found: list[str] = []
    for _ in range(10):
        # As a client that submits again as soon as its last thing was taken: one that waits, at any time.
        if not found or found[-1].startswith("b"):
            brought(service, "b")
        found += served(service, 1)

    assert sum(name.startswith("a") for name in found) == 5


def test_what_failed_has_had_its_turn_and_waits_for_nobody(service: Service) -> None:
    brought(service, "a", 50)
    failing = service.add("greetings.failing", lane="b")
    while service.event(failing).attempts == 0:
        service.runtime.handle_next()
    with service.session() as session:
        session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.id == failing)
            .values(held_until=text("now() - interval '1 second'"))
        )
        session.commit()

    service.runtime.handle_next()

    assert service.event(failing).attempts == 2


def taken(service: Service, window: int) -> Sequence[str]:
    """What a relay gives the broker, of which lane each is."""
    with service.session() as session:
        found = repository.take_for_publishing(session, 1000, HOUR, window)
        lanes = {
            row.id: f"{row.lane}{row.payload.get('name', '').removeprefix(row.lane or '')}"
            for row in session.scalars(select(OutboxEvent))
        }
        session.commit()
    return [lanes[each.id] for each in found]


def test_a_broker_is_given_what_is_near_and_the_rest_when_that_was_begun(service: Service) -> None:
    brought(service, "a", 100)

    first = taken(service, 3)
    brought(service, "b")
    assert first == ["a0", "a1", "a2"]
    assert taken(service, 3) == ["b0"]  # behind three of the other, and not behind a hundred
    assert served(service, 3) == ["a0", "b0", "a1"]

    assert taken(service, 3) == ["a3", "a4"]


def test_what_a_broker_lost_is_given_to_it_again_however_narrow_the_window(service: Service) -> None:
    brought(service, "a", 3)
    assert taken(service, 1) == ["a0"]
    assert taken(service, 1) == []

    service.let_time_pass(2)

    assert taken(service, 1) == ["a0"]


def test_ten_thousand_that_wait_are_not_read_to_find_the_next(service: Service) -> None:
    rows = [
        {"id": uuid7(), "topic": "greetings.asked", "payload": {}, "request_id": "-", "lane": f"l{n % 7}", "turn": n // 7}
        for n in range(10_000)
    ]  # fmt: skip
    with service.session() as session:
        session.execute(insert(OutboxEvent), rows)
        session.commit()
    engine = create_engine(service.database_url)
    with engine.connect() as connection:
        connection.execute(text("ANALYZE outbox_events"))
    engine.dispose()
    with service.session() as session:
        plan = "\n".join(
            session.scalars(
                text(
                    "EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) SELECT id FROM outbox_events "
                    "WHERE processed_at IS NULL AND dead_at IS NULL AND held_until <= now() AND publish_at IS NOT NULL "
                    "ORDER BY priority, turn, held_until LIMIT 1 FOR UPDATE SKIP LOCKED"
                )
            )
        )

    assert "ix_outbox_events_next" in plan, plan
    assert "rows=10000" not in plan, plan


def test_a_dead_letter_is_noticed_once_and_again_after_it_was_replayed(service: Service) -> None:
    event_id = service.add("greetings.hopeless", lane="a")
    service.runtime.handle(event_id)

    def look() -> list[UUID]:
        with service.session() as session:
            found = [row.id for row in unnoticed(session, ["greetings.hopeless"])]
            for each in found:
                notice(session, each)
            session.commit()
        return found

    assert look() == [event_id]
    assert look() == []
    with service.session() as session:
        replay(session, event_id)
        session.commit()
    service.runtime.handle(event_id)
    assert look() == [event_id]


def test_a_lane_sees_its_own_dead_letters_and_one_that_was_settled_is_none(service: Service) -> None:
    ours, theirs = (service.add("greetings.hopeless", lane=lane) for lane in ("a", "b"))
    for each in (ours, theirs):
        service.runtime.handle(each)

    with service.session() as session:
        assert [row.id for row in dead_letters(session, lane="a")] == [ours]
        assert settle(session, ours, {"instead": "x"})
        assert not settle(session, ours)
        assert list(dead_letters(session, lane="a")) == []
        session.commit()
    assert (service.event(ours).state, service.event(ours).payload) == ("done", {"instead": "x"})


def test_the_backlog_is_told_by_priority(service: Service) -> None:
    brought(service, "a", 2, priority=Priority.HIGH)
    service.add("greetings.asked", {"name": "x"}, delay=HOUR)

    with service.session() as session:
        found = measure(session)

    assert (found.open, found.due, found.dead) == (3, 2, 0)
    assert {name: each[:2] for name, each in found.by_priority.items()} == {
        Priority.HIGH: (2, 2),
        Priority.NORMAL: (1, 0),
    }


def test_the_last_part_says_in_which_lane_the_whole_goes_on(service: Service) -> None:
    with service.session() as session:
        fan_in = begin_fan_in(session, 1, "greetings.asked", {"name": "all"})
        complete_part(session, fan_in, lane="a")
        session.commit()
        assert session.scalars(select(OutboxEvent.lane)).all() == ["a"]


@pytest.mark.parametrize(("own", "expected"), [(None, Priority.NORMAL), (Priority.LOW, Priority.LOW)])
def test_an_event_says_its_priority_or_its_handler_does(
    service: Service, own: Priority | None, expected: Priority
) -> None:
    with service.session() as session:
        event_id = add_event(session, "greetings.asked", {}, priority=own)
        session.commit()

    assert service.event(event_id).priority == expected
