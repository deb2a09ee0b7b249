"""Who somebody is at a provider, and attempts to sign in there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base, Timestamped, Uuid7Id


class OidcIdentity(Base, Uuid7Id, Timestamped):
    """Somebody at a provider is the owner of an account here. Issuer and subject never change; an address may."""

    __tablename__ = "oidc_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))


class OidcAttempt(Base):
    """A browser that left for the provider. Coming back uses it up."""

    __tablename__ = "oidc_attempts"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Of a cookie: the browser that comes back is the one that left.
    browser_hash: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    code_verifier: Mapped[str] = mapped_column(String(128))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
