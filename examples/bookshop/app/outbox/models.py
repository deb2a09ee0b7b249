"""What is still to be done outside of the database, written in the transaction that makes it necessary."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DateTime, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class EventKind(StrEnum):
    """What has happened."""

    REGISTERED = "registered"
    REGISTRATION_REPEATED = "registration_repeated"
    PASSWORD_RESET_REQUESTED = "password_reset_requested"
    ORDER_PLACED = "order_placed"
    ORDER_STATUS_CHANGED = "order_status_changed"


class OutboxEvent(Base):
    """Something that has happened, and that a worker has to act upon at least once."""

    __tablename__ = "outbox_events"
    __table_args__ = (
        Index("ix_outbox_events_open", "created_at", "id", postgresql_where=text("processed_at IS NULL")),
        Index("ix_outbox_events_processed_at", "processed_at"),
    )

    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, str]] = mapped_column(JSONB)
    attempts: Mapped[int] = mapped_column(default=0)
    dispatched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    processed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
