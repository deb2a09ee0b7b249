"""Queries about users."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import PasswordReset, Preference, RevokedToken, User


def find_by_email(session: Session, email: str) -> User | None:
    """The account with this address."""
    return session.scalar(select(User).where(User.email == email))


def list_users(session: Session, after: int, limit: int) -> list[User]:
    """A page of all accounts."""
    return list(session.scalars(select(User).where(User.id > after).order_by(User.id).limit(limit)))


def find_preference(session: Session, user_id: int) -> Preference | None:
    """How the shop may talk to this user."""
    return session.scalar(select(Preference).where(Preference.user_id == user_id))


def is_revoked(session: Session, jti: str) -> bool:
    """Whether a refresh token was ended before its time."""
    return session.scalar(select(RevokedToken.id).where(RevokedToken.jti == jti)) is not None


def redeem_reset(session: Session, code_hash: str, now: datetime) -> int | None:
    """Use up a reset code that is still good, and say whose it was."""
    statement = (
        update(PasswordReset)
        .where(PasswordReset.code_hash == code_hash, PasswordReset.used_at.is_(None), PasswordReset.expires_at > now)
        .values(used_at=now)
        .returning(PasswordReset.user_id)
    )
    return session.scalar(statement)


def set_password(session: Session, user_id: int, hashed_password: str) -> None:
    """Give an account a new password."""
    session.execute(update(User).where(User.id == user_id).values(hashed_password=hashed_password))


def set_role(session: Session, user_id: int, role: str) -> User | None:
    """Say what somebody may do from now on."""
    return session.scalar(update(User).where(User.id == user_id).values(role=role).returning(User))
