"""Accounts, where they are signed in, and what was sent to them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base, Timestamped, Uuid7Id, Versioned


class Account(Base, Uuid7Id, Timestamped, Versioned):
    """Somebody who proved to own an e-mail address. There are no others: an address without proof has no account."""

    __tablename__ = "accounts"

    #: As its owner wrote it: mails go there.
    email: Mapped[str] = mapped_column(String(254))
    #: What is unique of it.
    email_key: Mapped[str] = mapped_column(String(300), unique=True)
    display_name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    #: Null for who signs in elsewhere only.
    password_hash: Mapped[str | None] = mapped_column(String(255))
    roles: Mapped[list[str]] = mapped_column(ARRAY(String(64)), default=list, server_default="{}")
    #: Access tokens carry this number; raising it ends all of them.
    access_epoch: Mapped[int] = mapped_column(default=0, server_default="0")
    deactivated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: The password was made for its owner, is good until then, and only to choose another; null for one of their own.
    initial_password_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def is_active(self) -> bool:
        """Whether its owner may sign in."""
        return self.deactivated_at is None


class AccountSession(Base, Uuid7Id):
    """A login and all that was refreshed from it: one row, however often."""

    __tablename__ = "account_sessions"
    __table_args__ = (Index("ix_account_sessions_account_id_id", "account_id", "id"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    #: The account's number when it began: a login that overlaps with a reset of the password begins a dead session.
    epoch: Mapped[int] = mapped_column()
    #: The hash of what all its refresh tokens share.
    family_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: The hash of what only the present one has.
    token_hash: Mapped[str] = mapped_column(String(64))
    #: What the client said it is, and where it came from when it signed in.
    client: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    refreshed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    #: Never moved: refreshing does not prolong a session.
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Purpose(StrEnum):
    """What a mailed token is good for, and nothing else."""

    REGISTER = "register"
    RESET = "reset_password"
    CHANGE_EMAIL = "change_email"


class MailedToken(Base, Uuid7Id):
    """A token that was sent to an address: whoever shows it reads the mail there."""

    __tablename__ = "account_mailed_tokens"
    __table_args__ = (
        CheckConstraint("purpose IN ('register', 'reset_password', 'change_email')", name="purpose"),
    )

    #: Null for a registration: there is no account yet.
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    #: Where it was sent.
    email: Mapped[str] = mapped_column(String(254))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: From where it was used.
    used_address: Mapped[str | None] = mapped_column(String(64))


class Attempts(Base):
    """How often something was tried within a window of time; what, is a hash."""

    __tablename__ = "account_attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    tries: Mapped[int] = mapped_column()
    window_ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
