"""Many parts, then one thing: a counter in PostgreSQL that each part decrements in the transaction that completes it.

No message is lost with the broker, no result backend is needed, and as a part completes once, it is counted once.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from .events import add_event, checked
from .models import FanIn


def begin_fan_in(session: Session, parts: int, topic: str, payload: dict[str, Any]) -> UUID:
    """Say what happens when all parts are complete; the caller adds the parts' events in the same transaction.

    Args:
        session: of the caller, who commits.
        parts: how many; with none it happens at once.
        topic: of the event that is added by the part which completes last.
        payload: of that event.

    Returns:
        The identifier that each part is given in its payload.
    """
    fan_in = FanIn(id=uuid7(), remaining=parts, topic=topic, payload=checked(payload))
    session.add(fan_in)
    if parts == 0:
        add_event(session, topic, payload)
    return fan_in.id


def complete_part(session: Session, fan_in_id: UUID | str, *, lane: str | UUID | None = None) -> bool:
    """Count one part in the transaction that completes it; True: it was the last one.

    `lane` is of the event that the last one adds.

    It is best the last statement of a handler: the row is locked until the commit, and other parts wait for it.
    """
    statement = (
        update(FanIn)
        .where(FanIn.id == UUID(str(fan_in_id)), FanIn.remaining > 0)
        .values(remaining=FanIn.remaining - 1)
        .returning(FanIn.remaining, FanIn.topic, FanIn.payload)
    )
    row = session.execute(statement).one_or_none()
    if row is None or row.remaining:
        return False
    add_event(session, row.topic, row.payload, lane=lane)
    return True


def unfinished(session: Session, older_than: timedelta, limit: int = 100) -> Sequence[FanIn]:
    """Return those that still wait for a part: one of them is probably among the dead letters."""
    old = FanIn.created_at < func.now() - older_than
    statement = select(FanIn).where(FanIn.remaining > 0, old).order_by(FanIn.created_at).limit(limit)
    return session.scalars(statement).all()
