"""Queries for outbox events, as the worker needs them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.outbox.models import OutboxEvent

BATCH = 100
#: After so many attempts somebody has to look: `count_dead` is logged as an error every hour.
MAX_ATTEMPTS = 8
#: Longer than all retries of a task together: an event is not dispatched while it is still being tried.
REDISPATCH_AFTER = timedelta(minutes=15)
KEEP_PROCESSED = timedelta(days=7)


def claim_batch(session: Session) -> Sequence[OutboxEvent]:
    """Claim the next open events for dispatching; another relay skips the rows that this one has locked."""
    due = (
        select(OutboxEvent.id)
        .where(
            OutboxEvent.processed_at.is_(None),
            OutboxEvent.attempts < MAX_ATTEMPTS,
            or_(
                OutboxEvent.dispatched_at.is_(None),
                OutboxEvent.dispatched_at < datetime.now(UTC) - REDISPATCH_AFTER,
            ),
        )
        .order_by(OutboxEvent.created_at, OutboxEvent.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    claim = (
        update(OutboxEvent)
        .where(OutboxEvent.id.in_(due))
        .values(dispatched_at=func.now(), attempts=OutboxEvent.attempts + 1)
        .returning(OutboxEvent)
    )
    # RETURNING promises no order, and what happened first should be done first.
    return sorted(session.execute(claim).scalars(), key=lambda event: (event.created_at, event.id))


def find_open(session: Session, event_id: UUID) -> OutboxEvent | None:
    """Return an event that nobody has finished, or None: a second delivery then has nothing to do."""
    statement = select(OutboxEvent).where(OutboxEvent.id == event_id, OutboxEvent.processed_at.is_(None))
    return session.execute(statement).scalar_one_or_none()


def mark_processed(session: Session, event_id: UUID) -> None:
    """Remember that an event is done with, and forget whom it was about."""
    statement = (
        update(OutboxEvent)
        .where(OutboxEvent.id == event_id, OutboxEvent.processed_at.is_(None))
        .values(processed_at=func.now(), payload={})
    )
    session.execute(statement)


def delete_processed(session: Session) -> None:
    """Delete the events that were done with long ago."""
    session.execute(delete(OutboxEvent).where(OutboxEvent.processed_at < datetime.now(UTC) - KEEP_PROCESSED))


def count_dead(session: Session) -> int:
    """Return how many events were given up."""
    statement = (
        select(func.count())
        .select_from(OutboxEvent)
        .where(OutboxEvent.processed_at.is_(None), OutboxEvent.attempts >= MAX_ATTEMPTS)
    )
    return session.execute(statement).scalar_one()
