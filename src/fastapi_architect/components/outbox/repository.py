"""Queries for outbox events, as relays and workers need them. All times are the database's: clocks of hosts differ."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    case,
    delete,
    func,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from .handlers import Priority, handlers_of
from .models import OutboxEvent
from .order import AGING, is_near, is_of, is_open, pressing, steps_risen

#: Between two publications the time doubles, up to this many times: a long queue is not filled with duplicates.
MAX_DOUBLINGS = 6
FORGOTTEN = "the broker lost its message; a replay does it without what was linked to it"
DIED = "the process that worked on it died or ran out of time"


@dataclass(frozen=True, slots=True)
class Publication:
    """An event that is to be put into the broker."""

    id: UUID
    topic: str
    handler: str | None
    payload: dict[str, Any]
    request_id: str
    priority: int
    #: So many steps it has risen above its priority since it waits.
    risen: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """An event that one worker holds, for one attempt. The number fences it: a later attempt has another."""

    id: UUID
    topic: str
    handler: str | None
    payload: dict[str, Any]
    request_id: str
    number: int
    last_error: str | None
    priority: int
    lane: str | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the workers are behind."""

    #: Events that are neither done nor dead.
    open: int
    #: Those of them that could be handled now.
    due: int
    dead: int
    #: Seconds that the oldest of the due events has waited.
    lag: float
    #: The same by priority: open, due, lag.
    by_priority: Mapping[int, tuple[int, int, float]] = field(default_factory=dict)


def take_for_publishing(
    session: Session, batch: int, again_after: timedelta, window: int = 20, aging: timedelta = AGING
) -> Sequence[Publication]:
    """Take the events that are due for the broker; other relays skip them.

    A broker serves in the order of arrival. So of each lane it is given only what is within `window` turns of the present
    one, and the rest waits here: whoever comes later is not behind a thousand others.

    What has waited long rises: a broker does not look at what is less urgent while it has anything else.

    They are due again later, longer each time. So nothing is lost, neither when this relay dies now, nor when the
    broker forgets, and nothing is locked while the broker answers.
    """
    due = (
        select(OutboxEvent.id)
        .where(is_open(), OutboxEvent.publish_at <= func.now(), is_near(session, window))
        .order_by(OutboxEvent.priority, OutboxEvent.turn, OutboxEvent.publish_at)
        .limit(batch)
        .with_for_update(skip_locked=True)
        .cte("due")
        .prefix_with("MATERIALIZED")
    )
    doublings = func.power(2, func.least(OutboxEvent.publications, MAX_DOUBLINGS))
    taken = (
        update(OutboxEvent)
        .where(OutboxEvent.id.in_(select(due.c.id)))
        .values(
            publish_at=func.now()
            + func.make_interval(0, 0, 0, 0, 0, 0, again_after.total_seconds() * doublings),
            publications=OutboxEvent.publications + 1,
        )
        .returning(
            OutboxEvent.id,
            OutboxEvent.topic,
            OutboxEvent.handler,
            OutboxEvent.payload,
            OutboxEvent.request_id,
            OutboxEvent.priority,
            steps_risen(aging),
            OutboxEvent.turn,
        )
        .execution_options(synchronize_session=False)
    )
    found = [(row.turn, Publication(*row[:-1])) for row in session.execute(taken)]
    # RETURNING promises no order; identifiers of version 7 are in the order of time.
    found.sort(key=lambda pair: (pair[1].priority, pair[0], pair[1].id))
    return [publication for _, publication in found]


def stamp_published(session: Session, ids: Sequence[UUID]) -> None:
    """Note that the broker has these."""
    session.execute(
        update(OutboxEvent).where(OutboxEvent.id.in_(ids), is_open()).values(published_at=func.now())
    )


def give_back(session: Session, ids: Sequence[UUID], after: timedelta) -> None:
    """Let a relay take these soon again: the broker did not accept them."""
    statement = (
        update(OutboxEvent)
        .where(OutboxEvent.id.in_(ids), is_open())
        .values(publish_at=func.now() + after, publications=OutboxEvent.publications - 1)
    )
    session.execute(statement)


def publish_all_again(session: Session) -> int:
    """Let relays put everything into the broker once more that nobody has begun: it has forgotten what it was told."""
    statement = (
        update(OutboxEvent)
        .where(
            is_open(),
            OutboxEvent.published_at.is_not(None),
            OutboxEvent.publish_at > func.now(),
            # What is held has begun, or waits for its next attempt.
            OutboxEvent.held_until <= func.now(),
        )
        .values(publish_at=func.now(), publications=0)
        .execution_options(synchronize_session=False)
    )
    result = session.execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0


def claim(session: Session, event_id: UUID, lease: timedelta) -> Attempt | None:
    """Begin the next attempt at an event; None: it is finished, somebody holds it, or it is not its time."""
    return _claim(session, OutboxEvent.id == event_id, lease)


def claim_next(
    session: Session, lease: timedelta, aging: timedelta = AGING, queues: Collection[str] | None = None
) -> Attempt | None:
    """Begin an attempt at the event whose turn it is: the most pressing, the lane's that was served least, the oldest.

    None: there is nothing to do now, in these queues.
    """
    which = is_of(queues)
    for priority in pressing(session, aging, which):
        due = (
            select(OutboxEvent.id)
            .where(
                is_open(),
                which,
                OutboxEvent.priority == priority,
                OutboxEvent.held_until <= func.now(),
                OutboxEvent.publish_at.is_not(None),
            )
            .order_by(OutboxEvent.turn, OutboxEvent.held_until)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        attempt = _claim(session, OutboxEvent.id == due.scalar_subquery(), lease)
        # Others may have taken the last one of this priority meanwhile.
        if attempt is not None:
            return attempt
    return None


def _claim(session: Session, which: ColumnElement[bool], lease: timedelta) -> Attempt | None:
    until = func.now() + lease
    statement = (
        update(OutboxEvent)
        .where(which, is_open(), OutboxEvent.held_until <= func.now())
        .values(
            attempts=OutboxEvent.attempts + 1,
            started_at=func.now(),
            # It had its turn; another attempt waits for no other.
            turn=0,
            held_until=until,
            publish_at=_unless_null(until),
            # It began and did not end, or it would not be marked as begun.
            last_error=case((OutboxEvent.started_at.is_not(None), DIED), else_=OutboxEvent.last_error),
        )
        .returning(
            OutboxEvent.id,
            OutboxEvent.topic,
            OutboxEvent.handler,
            OutboxEvent.payload,
            OutboxEvent.request_id,
            OutboxEvent.attempts,
            OutboxEvent.last_error,
            OutboxEvent.priority,
            OutboxEvent.lane,
        )
        .execution_options(synchronize_session=False)
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else Attempt(*row)


def renew(session: Session, attempt: Attempt, lease: timedelta) -> bool:
    """Hold the event longer; False: the attempt is over, or another one has begun."""
    until = func.now() + lease
    return _change(session, attempt, held_until=until, publish_at=_unless_null(until))


def finish(session: Session, attempt: Attempt, keep: dict[str, Any] | None = None) -> bool:
    """Finish the event in the transaction of its handler, and forget what it was about, except what is to be kept.

    False: another attempt has begun or the event is finished; what this transaction did must not be committed.
    """
    return _change(
        session, attempt, processed_at=func.now(), payload=keep or {}, started_at=None, last_error=None
    )


def try_again(session: Session, attempt: Attempt, error: str, after: timedelta) -> bool:
    """End an attempt that failed; the next one begins later."""
    later = func.now() + after
    return _change(
        session,
        attempt,
        held_until=later,
        publish_at=_unless_null(later),
        publications=0,
        started_at=None,
        last_error=error,
    )


def give_up(session: Session, attempt: Attempt, reason: str, attempts: int) -> bool:
    """Put the event among the dead letters."""
    return _change(
        session, attempt, dead_at=func.now(), started_at=None, last_error=reason, attempts=attempts
    )


def add_one_for_each(session: Session, attempt: Attempt, handlers: Sequence[str]) -> None:
    """Split an event: one row a handler, of which each is tried by itself."""
    for handler in handlers:
        session.add(
            OutboxEvent(
                id=uuid7(),
                topic=attempt.topic,
                handler=handler,
                payload=attempt.payload,
                request_id=attempt.request_id,
                priority=attempt.priority,
                lane=attempt.lane,
            )
        )


def add_unless_open(session: Session, topic: str, payload: dict[str, Any], unique_key: str) -> UUID | None:
    """Add an event, unless one with the same key is still open; then None."""
    statement = (
        insert(OutboxEvent)
        .values(
            id=uuid7(),
            topic=topic,
            payload=payload,
            unique_key=unique_key,
            request_id="-",
            priority=int(min((each.priority for each in handlers_of(topic)), default=Priority.NORMAL)),
        )
        .on_conflict_do_nothing()
        .returning(OutboxEvent.id)
    )
    return session.execute(statement).scalar_one_or_none()


def adopt(
    session: Session, event_id: UUID, topic: str, payload: dict[str, Any], request_id: str, *, relayed: bool
) -> None:
    """Give a row to a task whose message did not come from the outbox.

    `relayed`: from now on the relay publishes it again, as any other event. It cannot do so with a message that
    carries more than the row holds, such as the rest of a chain.
    """
    publish_at = func.now() if relayed else None
    statement = (
        insert(OutboxEvent)
        .values(id=event_id, topic=topic, payload=payload, request_id=request_id, publish_at=publish_at)
        .on_conflict_do_nothing()
    )
    session.execute(statement)


def find(session: Session, event_id: UUID) -> OutboxEvent | None:
    """Return an event, in whatever state."""
    return session.get(OutboxEvent, event_id)


def dead_letters(
    session: Session,
    *,
    topic: str | None = None,
    before: datetime | None = None,
    limit: int = 100,
    lane: str | None = None,
) -> Sequence[OutboxEvent]:
    """Return what was given up, the newest first; `before` continues after the last one of a page.

    Args:
        session: of a worker, or of a request by `run_sync`.
        topic: only of this one.
        before: the `dead_at` of the last one that was seen.
        limit: how many at most.
        lane: only what is in this one: an event knows no other owner.
    """
    statement = select(OutboxEvent).where(OutboxEvent.dead_at.is_not(None))
    if lane is not None:
        statement = statement.where(OutboxEvent.lane == lane)
    if topic is not None:
        statement = statement.where(OutboxEvent.topic == topic)
    if before is not None:
        statement = statement.where(OutboxEvent.dead_at < before)
    return session.scalars(statement.order_by(OutboxEvent.dead_at.desc()).limit(limit)).all()


def bury_forgotten(session: Session, after: timedelta) -> int:
    """Give up what no relay sends again and nobody has begun for so long: the broker lost its message."""
    statement = (
        update(OutboxEvent)
        .where(is_open(), OutboxEvent.publish_at.is_(None), OutboxEvent.held_until < func.now() - after)
        .values(dead_at=func.now(), started_at=None, last_error=FORGOTTEN)
        .execution_options(synchronize_session=False)
    )
    result = session.execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0


def replay(session: Session, event_id: UUID) -> bool:
    """Try a dead letter again, with all its attempts; False: it is not among the dead letters."""
    statement = (
        update(OutboxEvent)
        .where(OutboxEvent.id == event_id, OutboxEvent.dead_at.is_not(None))
        .values(
            dead_at=None,
            noticed_at=None,
            replayed_at=func.now(),
            unique_key=None,
            attempts=0,
            publications=0,
            held_until=func.now(),
            publish_at=func.now(),
        )
    )
    return _changed_one(session, statement)


def unnoticed(session: Session, topics: Sequence[str], limit: int = 100) -> Sequence[OutboxEvent]:
    """Return dead letters that nobody has noticed, the oldest first; what others are acting upon is left out.

    The caller acts, calls `notice` and commits. However many dead letters there are, only those are looked at.
    """
    statement = (
        select(OutboxEvent)
        .where(
            OutboxEvent.dead_at.is_not(None), OutboxEvent.noticed_at.is_(None), OutboxEvent.topic.in_(topics)
        )
        .order_by(OutboxEvent.dead_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(statement).all()


def notice(session: Session, event_id: UUID) -> None:
    """Note that somebody has acted upon a dead letter; it stays among them, and is not shown to `unnoticed` again."""
    statement = (
        update(OutboxEvent)
        .where(OutboxEvent.id == event_id, OutboxEvent.dead_at.is_not(None))
        .values(noticed_at=func.now())
    )
    session.execute(statement.execution_options(synchronize_session=False))


def settle(session: Session, event_id: UUID, keep: dict[str, Any] | None = None) -> bool:
    """End a dead letter as done, since something else took its place; False: it is not among the dead letters."""
    statement = (
        update(OutboxEvent)
        .where(OutboxEvent.id == event_id, OutboxEvent.dead_at.is_not(None))
        .values(
            dead_at=None,
            noticed_at=None,
            replayed_at=func.now(),
            processed_at=func.now(),
            payload=keep or {},
        )
    )
    return _changed_one(session, statement)


def delete_finished(session: Session, done: timedelta, dead: timedelta, batch: int = 1000) -> int:
    """Delete some of what was done, or given up, longer ago than that; return how many rows."""
    old = (
        select(OutboxEvent.id)
        .where(
            (OutboxEvent.processed_at < func.now() - done) | (OutboxEvent.dead_at < func.now() - dead),
        )
        .limit(batch)
        .with_for_update(skip_locked=True)
    )
    result = session.execute(
        delete(OutboxEvent).where(OutboxEvent.id.in_(old)).execution_options(synchronize_session=False)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


def measure(session: Session) -> Backlog:
    """Return how far the workers are behind. Only what is open is looked at, and counted what is dead."""
    is_due = OutboxEvent.held_until <= func.now()
    waits = func.extract("epoch", func.now() - func.min(OutboxEvent.held_until).filter(is_due))
    statement = (
        select(OutboxEvent.priority, func.count(), func.count().filter(is_due), func.coalesce(waits, 0.0))
        .where(is_open())
        .group_by(OutboxEvent.priority)
    )
    found = {row[0]: (row[1], row[2], float(row[3])) for row in session.execute(statement)}
    dead = session.scalar(
        select(func.count()).select_from(OutboxEvent).where(OutboxEvent.dead_at.is_not(None))
    )
    return Backlog(
        open=sum(each[0] for each in found.values()),
        due=sum(each[1] for each in found.values()),
        dead=dead or 0,
        lag=max((each[2] for each in found.values()), default=0.0),
        by_priority=found,
    )


def _unless_null(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((OutboxEvent.publish_at.is_(None), null()), else_=moment)


def _change(session: Session, attempt: Attempt, **values: Any) -> bool:
    statement = (
        update(OutboxEvent)
        .where(OutboxEvent.id == attempt.id, OutboxEvent.attempts == attempt.number, is_open())
        .values(values)
    )
    return _changed_one(session, statement)


def _changed_one(session: Session, statement: Any) -> bool:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return isinstance(result, CursorResult) and result.rowcount == 1
