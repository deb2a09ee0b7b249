"""Endpoints, messages, and the log of their deliveries. No secret lies here."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base, Timestamped, Uuid7Id


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    #: Given up; `reason` says why. It can be delivered again.
    FAILED = "failed"


class WebhookEndpoint(Base, Uuid7Id, Timestamped):
    """A URL that somebody wants to be called."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (Index("ix_webhook_endpoints_owner_id_id", "owner_id", "id"),)

    #: The organisation, where there are several, or else the person. No foreign key, because owners may live anywhere.
    owner_id: Mapped[UUID]
    created_by: Mapped[UUID]
    url: Mapped[str] = mapped_column(String(2048))
    description: Mapped[str] = mapped_column(String(200))
    #: Null: all of them, also those that are invented later.
    event_types: Mapped[list[str] | None] = mapped_column(ARRAY(String(100)))
    #: Counted up by a rotation.
    secret_version: Mapped[int] = mapped_column(default=1)
    #: Until when deliveries are signed with the secret before too.
    previous_secret_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: Since when nothing but failures.
    failing_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    disabled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    disabled_reason: Mapped[str | None] = mapped_column(String(200))

    @property
    def enabled(self) -> bool:
        """Whether it is called."""
        return self.disabled_at is None


class WebhookMessage(Base, Uuid7Id):
    """Something that has happened, as it is told to every endpoint."""

    __tablename__ = "webhook_messages"
    __table_args__ = (Index("ix_webhook_messages_created_at", "created_at"),)

    owner_id: Mapped[UUID]
    event_type: Mapped[str] = mapped_column(String(100))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class WebhookDelivery(Base, Uuid7Id, Timestamped):
    """One message on its way to one endpoint."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("message_id", "endpoint_id", name="uq_webhook_deliveries_message_id_endpoint_id"),
        Index("ix_webhook_deliveries_endpoint_id_id", "endpoint_id", "id"),
    )

    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_messages.id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20), default=DeliveryState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None] = mapped_column(String(500))
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class WebhookAttempt(Base, Uuid7Id):
    """One call of an endpoint, as its owner may read it."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (Index("ix_webhook_attempts_delivery_id_id", "delivery_id", "id"),)

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_deliveries.id", ondelete="CASCADE"))
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    milliseconds: Mapped[int]
    #: Null: there was no answer.
    status: Mapped[int | None]
    #: The beginning of the answer's body.
    answer: Mapped[str | None] = mapped_column(String(500))
    error: Mapped[str | None] = mapped_column(String(500))
