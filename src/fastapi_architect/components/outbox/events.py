"""Adding an event to the caller's transaction."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from ..problem_details import InvalidInput
from ..service.request_id import current_request_id
from .handlers import Priority, handlers_of
from .models import OutboxEvent
from .order import turn_of

#: An event names things; whoever handles it reads them.
MAX_PAYLOAD = 64 * 1024
#: The escape of NUL, which JSON has and JSONB refuses; an escaped backslash before `u0000` is no NUL.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def add_event(
    session: AsyncSession | Session,
    topic: str,
    payload: dict[str, Any],
    *,
    delay: timedelta | None = None,
    priority: Priority | None = None,
    lane: str | UUID | None = None,
) -> UUID:
    """Add an event; the commit of the caller makes it real together with its cause, a rollback unmakes both.

    Args:
        session: the session of the request, or of a worker. Nothing is sent to the database here.
        topic: such as `accounts.registered`.
        payload: JSON, best nothing but identifiers: what they name may have changed when it is handled, and a secret
            must not lie in a table. It is forgotten when the event is done.
        delay: do not handle it earlier.
        priority: what it overtakes; None: what its handler says where it is known, which is in workers, and else NORMAL.
        lane: whose it is, such as a tenant. Lanes are served in turn: a lane that brings a thousand events delays another one
            by one event, and not by a thousand.

    Returns:
        The identifier of the event, by which a repeated delivery is known.

    Raises:
        InvalidInput: the payload holds what PostgreSQL cannot store, which is what a caller sent.
        ValueError: the payload is larger than 64 KiB, or not JSON.
    """
    event = OutboxEvent(
        id=uuid7(), topic=topic, payload=checked(payload), request_id=current_request_id()[:128]
    )
    chosen = priority_of(topic) if priority is None else priority
    event.priority = int(chosen)
    if lane is not None:
        event.lane = str(lane)
        event.turn = turn_of(str(lane), chosen)
    if delay is not None:
        event.held_until = event.publish_at = func.now() + delay
    session.add(event)
    return event.id


def priority_of(topic: str) -> Priority:
    """Return what the handlers of a topic say, as far as this process knows them."""
    return min((handler.priority for handler in handlers_of(topic)), default=Priority.NORMAL)


def checked(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload, if it can be stored: found out here, where the caller can still be told."""
    text = json.dumps(payload, allow_nan=False, ensure_ascii=False)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidInput("Text must not hold half of a surrogate pair.") from None
    if _NUL.search(text):
        raise InvalidInput("Text must not hold the character NUL.")
    if size > MAX_PAYLOAD:
        raise ValueError(f"an event of {size} bytes: store the data, and put its identifier into the event")
    return payload
