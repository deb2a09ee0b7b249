"""The events of the audit log."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base, Uuid7Id


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"


class AuditEvent(Base, Uuid7Id):
    """One thing that somebody did. A trigger lets only the owner of the table change or delete it."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_tenant_id_id", "tenant_id", "id"),
        Index("ix_audit_events_actor_id_id", "actor_id", "id"),
        Index("ix_audit_events_subject_id", "subject_type", "subject_id", "id"),
    )

    # Nobody reads what they have just written down, and who writes may not see it: `RETURNING` would ask for both.
    __mapper_args__ = {"eager_defaults": False}  # noqa: RUF012

    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    #: What was done, such as `note.deleted`.
    action: Mapped[str] = mapped_column(String(100))
    outcome: Mapped[str] = mapped_column(String(20))
    #: Who did it; null: the service itself, or a stranger.
    actor_id: Mapped[UUID | None] = mapped_column()
    #: By what they had proved who they are.
    actor_method: Mapped[str] = mapped_column(String(50))
    tenant_id: Mapped[UUID | None] = mapped_column()
    subject_type: Mapped[str] = mapped_column(String(100))
    subject_id: Mapped[str] = mapped_column(String(200))
    #: Leads to the lines of the log and to the messages of workers that belong to it.
    request_id: Mapped[str] = mapped_column(String(128))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
