"""What comes first among what waits: the urgent, of each lane in turn, and sooner or later whatever has waited long."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, cast, func, literal_column, not_, or_, select, true
from sqlalchemy.orm import Session

from .handlers import Priority, all_handlers
from .models import OutboxEvent

#: After so long an event counts as one step more urgent than it is.
AGING = timedelta(minutes=5)
#: The most urgent first.
STEPS = sorted(Priority)


def is_open() -> ColumnElement[bool]:
    """Tell whether an event is neither done nor dead."""
    return OutboxEvent.processed_at.is_(None) & OutboxEvent.dead_at.is_(None)


def is_in_line() -> ColumnElement[bool]:
    """Tell whether an event waits for its lane's turn; what was begun once had it."""
    return is_open() & (OutboxEvent.attempts == literal_column("0")) & OutboxEvent.lane.is_not(None)


def turn_of(lane: str, priority: Priority) -> Any:
    """Return the place of a new event of a lane, as an expression of the INSERT: start-time fair queueing.

    It comes after the last one of its own lane, and not before the one whose turn it is: a lane that had nothing to do saves no
    turns up, and one that has much to do is overtaken by everybody else's next. (Goyal, Vin, Cheng: Start-time Fair Queueing, 1996.)
    """
    # Literal texts: an index with a condition is only taken where the planner sees that the condition holds.
    waits: ColumnElement[bool] = literal_column(
        "processed_at IS NULL AND dead_at IS NULL AND attempts = 0 AND lane IS NOT NULL", Boolean()
    )
    line = waits & (literal_column("priority") == int(priority))
    table = OutboxEvent.__table__.alias("outbox_events")
    own = select(func.max(table.c.turn) + 1).select_from(table).where(line, table.c.lane == lane)
    present = select(func.min(table.c.turn)).select_from(table).where(line)
    return func.greatest(func.coalesce(own.scalar_subquery(), 0), func.coalesce(present.scalar_subquery(), 0))


def is_near(session: Session, window: int) -> ColumnElement[bool]:
    """Tell whether it is nearly an event's turn; what is in no lane, or was begun before, always may."""
    present = session.execute(
        select(
            *(
                select(func.min(OutboxEvent.turn))
                .where(is_in_line(), OutboxEvent.priority == int(each))
                .scalar_subquery()
                for each in STEPS
            )
        )
    ).one()
    near = [
        (OutboxEvent.priority == int(each)) & (OutboxEvent.turn < (turn or 0) + window)
        for each, turn in zip(STEPS, present, strict=True)
    ]
    return or_(OutboxEvent.lane.is_(None), OutboxEvent.turn == 0, *near)


def is_of(queues: Collection[str] | None) -> ColumnElement[bool]:
    """Tell whether an event belongs to one of these queues, by what its handlers say; None: whichever it is of.

    What several handlers of different queues act upon, and what nothing handles here, may be taken by any worker.
    """
    if queues is None:
        return true()
    known = all_handlers()
    elsewhere = {handler.name for handler in known if handler.queue not in queues}
    topics = {handler.topic for handler in known} - {
        handler.topic for handler in known if handler.name not in elsewhere
    }
    named = OutboxEvent.handler.in_(sorted(elsewhere)) & OutboxEvent.handler.is_not(None)
    return not_(named | (OutboxEvent.handler.is_(None) & OutboxEvent.topic.in_(sorted(topics))))


def pressing(session: Session, aging: timedelta, which: ColumnElement[bool]) -> Sequence[Priority]:
    """Return the priorities of which something is due, in the order in which they shall be served.

    The first of each line is compared, by when it was due and how many steps below the most urgent it stands: without that,
    whatever is less urgent would wait for ever behind work that never ends.

    Args:
        session: of a worker.
        aging: after so long an event counts as one step more urgent.
        which: a condition for the events that the caller takes.
    """
    heads = session.execute(
        select(
            *(
                select(func.extract("epoch", func.now() - OutboxEvent.held_until))
                .where(
                    is_open(),
                    which,
                    OutboxEvent.priority == int(each),
                    OutboxEvent.held_until <= func.now(),
                    OutboxEvent.publish_at.is_not(None),
                )
                .order_by(OutboxEvent.turn, OutboxEvent.held_until)
                .limit(1)
                .scalar_subquery()
                for each in STEPS
            )
        )
    ).one()
    late = {
        priority: float(waited) - step * aging.total_seconds()
        for step, (priority, waited) in enumerate(zip(STEPS, heads, strict=True))
        if waited is not None
    }
    return sorted(late, key=lambda priority: (-late[priority], priority))


def steps_risen(aging: timedelta) -> ColumnElement[int]:
    """Return by how many steps an event counts as more urgent than it is, as an expression of a query."""
    waited = func.extract("epoch", func.now() - OutboxEvent.held_until)
    return cast(func.greatest(func.floor(waited / aging.total_seconds()), 0), Integer)


def risen(priority: Priority, steps: int) -> Priority:
    """Return what a priority is after it has risen so many steps."""
    return STEPS[max(0, STEPS.index(priority) - steps)]
