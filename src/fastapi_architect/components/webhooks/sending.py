"""Telling the owners' endpoints that something has happened."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from ..outbox import add_event
from ..outbox.events import checked
from .models import WebhookMessage

FAN_OUT = "webhooks.fan_out"
DELIVER = "webhooks.deliver"


def send_webhook(
    session: AsyncSession | Session, event_type: str, data: dict[str, Any], *, owner_id: UUID
) -> UUID:
    """Tell every endpoint of an owner after the commit of the caller; a rollback takes it back.

    Args:
        session: of the request, or of a worker.
        event_type: such as `order.placed`.
        data: what the owner may read; JSON.
        owner_id: whose endpoints: the organisation (`Principal.tenant_id`), where there are several, or else the person.

    Returns:
        The identifier of the message.
    """
    message = WebhookMessage(
        id=uuid7(), owner_id=owner_id, event_type=event_type, data=checked(data), created_at=datetime.now(UTC)
    )
    session.add(message)
    add_event(session, FAN_OUT, {"message_id": str(message.id), "owner_id": str(owner_id)})
    return message.id
