"""Queries for deliveries, as workers need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from .models import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from .signing import body_of


@dataclass(frozen=True, slots=True)
class Pending:
    """A delivery that is to be attempted, without any tie to the database."""

    delivery_id: UUID
    message_id: UUID
    endpoint_id: UUID
    owner_id: UUID
    url: str
    body: bytes
    secret_versions: Sequence[int]
    enabled: bool


def fan_out(session: Session, message_id: UUID) -> Sequence[UUID]:
    """Add a delivery for each endpoint that wants the message; return their identifiers."""
    message = session.get(WebhookMessage, message_id)
    if message is None:
        return []
    wants = WebhookEndpoint.event_types.is_(None) | WebhookEndpoint.event_types.contains([message.event_type])
    endpoints = session.scalars(
        select(WebhookEndpoint.id).where(
            WebhookEndpoint.owner_id == message.owner_id, WebhookEndpoint.disabled_at.is_(None), wants
        )
    ).all()
    if not endpoints:
        return []
    rows = [
        {
            "id": uuid7(),
            "endpoint_id": endpoint_id,
            "message_id": message_id,
            "event_type": message.event_type,
            "state": DeliveryState.PENDING,
            "attempts": 0,
        }
        for endpoint_id in endpoints
    ]
    statement = insert(WebhookDelivery).values(rows).on_conflict_do_nothing().returning(WebhookDelivery.id)
    return session.scalars(statement).all()


def find_pending(session: Session, delivery_id: UUID) -> Pending | None:
    """Return what is to be sent; None: it has ended, or its endpoint is gone."""
    previous_is_good = WebhookEndpoint.previous_secret_until > func.now()
    statement = (
        select(WebhookDelivery, WebhookEndpoint, WebhookMessage, previous_is_good)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .join(WebhookMessage, WebhookMessage.id == WebhookDelivery.message_id)
        .where(WebhookDelivery.id == delivery_id, WebhookDelivery.state == DeliveryState.PENDING)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    delivery, endpoint, message, both = row
    version = endpoint.secret_version
    return Pending(
        delivery_id=delivery.id,
        message_id=message.id,
        endpoint_id=endpoint.id,
        owner_id=endpoint.owner_id,
        url=endpoint.url,
        body=body_of(message.event_type, message.created_at, message.data),
        secret_versions=[version, version - 1] if both else [version],
        enabled=endpoint.enabled,
    )


def note_attempt(session: Session, attempt: WebhookAttempt) -> None:
    """Write a call into the log."""
    session.add(attempt)
    session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.id == attempt.delivery_id)
        .values(attempts=WebhookDelivery.attempts + 1, reason=attempt.error)
    )


def end(session: Session, pending: Pending, state: DeliveryState, reason: str | None) -> None:
    """End a delivery."""
    delivered_at = func.now() if state is DeliveryState.DELIVERED else None
    session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.id == pending.delivery_id)
        .values(state=state, reason=reason, delivered_at=delivered_at)
    )


def note_success(session: Session, pending: Pending) -> None:
    """Forget that the endpoint failed."""
    session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == pending.endpoint_id, WebhookEndpoint.failing_since.is_not(None))
        .values(failing_since=None)
    )


def note_failure(session: Session, pending: Pending, disable_after: timedelta) -> bool:
    """Remember since when the endpoint fails; True: for so long that it is disabled now."""
    endpoint = WebhookEndpoint
    session.execute(
        update(endpoint)
        .where(endpoint.id == pending.endpoint_id, endpoint.failing_since.is_(None))
        .values(failing_since=func.now())
    )
    days = disable_after.total_seconds() / 86_400
    return disable(
        session, pending, f"nothing but failures for {days:g} days", since_before=func.now() - disable_after
    )


def disable(
    session: Session, pending: Pending, reason: str, since_before: ColumnElement[datetime] | None = None
) -> bool:
    """Disable the endpoint; False: it is disabled already, or does not fail for long enough."""
    statement = (
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == pending.endpoint_id, WebhookEndpoint.disabled_at.is_(None))
        .values(disabled_at=func.now(), disabled_reason=reason)
    )
    if since_before is not None:
        statement = statement.where(WebhookEndpoint.failing_since < since_before)
    result = session.execute(statement)
    return isinstance(result, CursorResult) and result.rowcount == 1


def delete_old(session: Session, keep: timedelta, batch: int) -> int:
    """Delete some of the messages that are older, with the log of their deliveries; return how many."""
    old = select(WebhookMessage.id).where(WebhookMessage.created_at < func.now() - keep).limit(batch)
    result = session.execute(delete(WebhookMessage).where(WebhookMessage.id.in_(old)))
    return result.rowcount if isinstance(result, CursorResult) else 0
