"""Organisations, who belongs to them, and who is invited."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base, Timestamped, Uuid7Id, Versioned


class Organisation(Base, Uuid7Id, Timestamped, Versioned):
    """A tenant."""

    __tablename__ = "organisations"

    name: Mapped[str] = mapped_column(String(100))


class TenantOwned:
    """A row that belongs to a tenant. Its table needs `protect_by_tenant` in the migration that creates it."""

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"), index=True)


class Membership(Base, Uuid7Id, Timestamped):
    """Somebody belongs to an organisation, with a role in it."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("account_id", "tenant_id"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"), index=True)
    #: `Principal.id`: whoever tells callers, this component only knows their identifiers.
    account_id: Mapped[UUID] = mapped_column()
    role: Mapped[str] = mapped_column(String(50))


class Invitation(Base, Uuid7Id, Timestamped):
    """Whoever brings the token becomes a member, once. Only its hash is kept."""

    __tablename__ = "invitations"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(50))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[UUID] = mapped_column()
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    accepted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
