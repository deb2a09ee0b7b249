"""What has to be done again and again.

Time is cut into slots of equal length, and the database remembers the last slot of each schedule. Whoever moves it on
queues the event, so that any number of schedulers queue it once; a slot that nobody saw is skipped, and while
the last event is still open no other is added: nothing piles up while the workers are away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import floor
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from .models import ScheduleSlot
from .repository import add_unless_open


@dataclass(frozen=True, slots=True)
class Periodic:
    """An event that is added periodically.

    `Periodic("reports.daily", every=timedelta(days=1), offset=timedelta(hours=3))` is every day at three, in UTC.
    """

    topic: str
    every: timedelta
    #: After the beginning of 1970 in UTC, which was a Thursday.
    offset: timedelta = timedelta(0)
    payload: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.every < timedelta(seconds=1):
            raise ValueError(f"{self.topic!r} would run more than once a second")


def queue_due(session: Session, schedules: Mapping[str, Periodic]) -> Sequence[str]:
    """Add the events of the schedules whose next slot has begun; the caller commits. Return their names.

    A schedule that is seen for the first time waits for its next slot.
    """
    if not schedules:
        return []
    last = {row.name: row.slot for row in session.scalars(select(ScheduleSlot))}
    now = float(session.scalars(select(func.extract("epoch", func.now()))).one())
    queued = []
    # Always in the same order: two schedulers that lock the same rows must not wait for each other.
    for name, periodic in sorted(schedules.items()):
        slot = floor((now - periodic.offset.total_seconds()) / periodic.every.total_seconds())
        if last.get(name, -1) >= slot or not move_on(session, name, slot):
            continue
        if name in last and add_unless_open(
            session, periodic.topic, dict(periodic.payload), f"schedule:{name}"
        ):
            queued.append(name)
    return queued


def move_on(session: Session, name: str, slot: int) -> bool:
    """Move a schedule on to a slot; False: somebody did, or it is further already."""
    statement = insert(ScheduleSlot).values(name=name, slot=slot)
    moved = statement.on_conflict_do_update(
        index_elements=[ScheduleSlot.name],
        set_={"slot": statement.excluded.slot},
        where=ScheduleSlot.slot < statement.excluded.slot,
    ).returning(ScheduleSlot.slot)
    return session.execute(moved).scalar_one_or_none() is not None
