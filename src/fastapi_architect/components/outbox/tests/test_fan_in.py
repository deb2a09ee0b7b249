"""What has to follow many parts follows once, when the last of them is complete."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from fastapi_architect.components.outbox import (
    FanIn,
    HandlerContext,
    OutboxEvent,
    Outcome,
    Retries,
    begin_fan_in,
    complete_part,
    repository,
    unfinished,
)
from fastapi_architect.components.outbox.tests.conftest import Service


def follow_ups(service: Service) -> list[dict[str, Any]]:
    with service.session() as session:
        return list(
            session.scalars(select(OutboxEvent.payload).where(OutboxEvent.topic == "greetings.asked"))
        )


def begin(service: Service, parts: int) -> UUID:
    with service.session() as session:
        fan_in_id = begin_fan_in(session, parts, "greetings.asked", {"name": "all"})
        session.commit()
    return fan_in_id


def test_the_last_part_starts_what_follows_also_when_all_end_at_once(service: Service) -> None:
    fan_in_id = begin(service, 8)
    last: list[bool] = []

    def complete() -> None:
        with service.session() as session:
            last.append(complete_part(session, fan_in_id))
            session.commit()

    threads = [threading.Thread(target=complete) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(last) == [False] * 7 + [True]
    assert follow_ups(service) == [{"name": "all"}]


def test_with_no_parts_it_follows_at_once(service: Service) -> None:
    begin(service, 0)

    assert follow_ups(service) == [{"name": "all"}]


def test_a_part_that_was_overtaken_is_not_counted(service: Service) -> None:
    """An attempt that comes back late is rolled back, and its count with it."""
    fan_in_id = begin(service, 2)
    event_id = service.add("greetings.asked", {"name": "part"})
    with service.session() as session:
        late = repository.claim(session, event_id, timedelta(seconds=1))
        session.commit()
    assert late is not None
    service.let_time_pass()
    service.runtime.handle(event_id)

    def complete(context: HandlerContext) -> None:
        complete_part(context.session, fan_in_id)

    assert service.runtime.perform(late, Retries(), complete) is Outcome.LOST

    with service.session() as session:
        assert session.get_one(FanIn, fan_in_id).remaining == 2


def test_what_waits_for_a_part_can_be_found(service: Service) -> None:
    fan_in_id = begin(service, 2)
    with service.session() as session:
        assert list(unfinished(session, timedelta(hours=1))) == []
        session.execute(update(FanIn).values(created_at=FanIn.created_at - timedelta(hours=2)))
        assert [one.id for one in unfinished(session, timedelta(hours=1))] == [fan_in_id]


@pytest.mark.parametrize("times", [1, 3])
def test_a_count_below_zero_starts_nothing_again(service: Service, times: int) -> None:
    fan_in_id = begin(service, 1)
    with service.session() as session:
        assert complete_part(session, fan_in_id)
        assert not any(complete_part(session, fan_in_id) for _ in range(times))
        session.commit()

    assert len(follow_ups(service)) == 1
