"""What is still to be done outside of a request, written in the transaction that makes it necessary."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, SmallInteger, String, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from ..database import Base

_OPEN = text("processed_at IS NULL AND dead_at IS NULL")
_IN_LINE = text("processed_at IS NULL AND dead_at IS NULL AND attempts = 0 AND lane IS NOT NULL")


class EventState(StrEnum):
    """Where an event stands. Every way ends in `done` or `dead`."""

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    DONE = "done"
    DEAD = "dead"


class OutboxEvent(Base):
    """Something that has happened, and that a worker has to act upon at least once."""

    __tablename__ = "outbox_events"
    __table_args__ = (
        Index("ix_outbox_events_publish_at", "publish_at", postgresql_where=_OPEN),
        Index("ix_outbox_events_held_until", "held_until", postgresql_where=_OPEN),
        Index("ix_outbox_events_next", "priority", "turn", "held_until", postgresql_where=_OPEN),
        Index("ix_outbox_events_in_line", "priority", "turn", postgresql_where=_IN_LINE),
        Index("ix_outbox_events_in_line_of_lane", "lane", "priority", "turn", postgresql_where=_IN_LINE),
        Index(
            "ix_outbox_events_dead_of_lane", "lane", "dead_at", postgresql_where=text("dead_at IS NOT NULL")
        ),
        Index(
            "ix_outbox_events_unnoticed",
            "topic",
            "dead_at",
            postgresql_where=text("dead_at IS NOT NULL AND noticed_at IS NULL"),
        ),
        Index("ix_outbox_events_processed_at", "processed_at"),
        Index("ix_outbox_events_dead_at", "dead_at"),
        Index("uq_outbox_events_unique_key", "unique_key", unique=True, postgresql_where=_OPEN),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    topic: Mapped[str] = mapped_column(String(100))
    #: Which one of several handlers of the topic this row is for; each has a row, so that each is tried by itself.
    handler: Mapped[str | None] = mapped_column(String(200))
    #: Identifiers rather than data, and never a secret. Emptied when the event is done.
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: Of all open events at most one has this key.
    unique_key: Mapped[str | None] = mapped_column(String(200))
    #: What it overtakes: 0 comes first.
    priority: Mapped[int] = mapped_column(SmallInteger, default=3, server_default="3")
    #: Whose it is, such as a tenant: those who wait are served in turn, however much one of them has brought.
    lane: Mapped[str | None] = mapped_column(String(64))
    #: Its place among those that wait in lanes, given when it is added; 0 for everything else, and once it was begun.
    turn: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    #: The request that caused it.
    request_id: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    #: When a relay puts it into the broker (again); null: the message travels without a relay.
    publish_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), server_default=func.now())
    publications: Mapped[int] = mapped_column(default=0, server_default="0")
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: Nobody takes it before: a worker holds it, or it waits for its next attempt.
    held_until: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    #: Counted when an attempt begins, so that an attempt which kills its process counts too.
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    #: When the present attempt began; null between attempts.
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    processed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: When it was given up; `last_error` says why.
    dead_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_error: Mapped[str | None] = mapped_column(Text)
    #: When somebody who looks after dead letters has acted upon this one.
    noticed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: When it was a dead letter last, and was tried again or replaced.
    replayed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def state(self) -> EventState:
        """Where the event stands."""
        if self.processed_at is not None:
            return EventState.DONE
        if self.dead_at is not None:
            return EventState.DEAD
        if self.started_at is not None:
            return EventState.RUNNING
        return EventState.RETRYING if self.attempts else EventState.WAITING


class ScheduleSlot(Base):
    """The last slot of a schedule that was queued: whoever moves it on queues the event, and nobody else does."""

    __tablename__ = "outbox_schedule"

    name: Mapped[str] = mapped_column(String(150), primary_key=True)
    slot: Mapped[int] = mapped_column(BigInteger)


class FanIn(Base):
    """How many parts are still missing, and the event that the last one adds."""

    __tablename__ = "outbox_fan_ins"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    remaining: Mapped[int]
    topic: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
