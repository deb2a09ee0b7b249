"""Accounts: logging in, resetting passwords, and what users say about themselves."""

import secrets
from datetime import timedelta

from sqlalchemy.orm import Session

from app.core.errors import AuthenticationFailed, NotFound, PermissionDenied
from app.core.security import (
    ABSENT_USER_HASH,
    create_access_token,
    digest,
    hash_password,
    read_refresh_token,
    read_revoked_token,
    verify_password,
)
from app.models import PasswordReset, Preference, RevokedToken, User
from app.models.base import utc_now
from app.repositories import user_repository
from app.schemas.user import (
    LoginRequest,
    PasswordResetConfirmation,
    PasswordResetOut,
    PreferenceUpdate,
    ProfileUpdate,
    TokenOut,
)
from app.services import audit

RESET_LIFETIME = timedelta(hours=1)


def log_in(session: Session, credentials: LoginRequest) -> User:
    """The account behind an address and a password.

    Raises:
        AuthenticationFailed: if there is no such pair; never says which half is wrong.
    """
    audit.record_attempt("login", credentials.model_dump())
    user = user_repository.find_by_email(session, credentials.email)
    stored = user.hashed_password if user is not None else ABSENT_USER_HASH
    matches = verify_password(stored, credentials.password)
    if user is None or not matches or not user.is_active:
        raise AuthenticationFailed("Address or password are wrong.")
    return user


def refresh(session: Session, refresh_token: str) -> TokenOut:
    """A new access token for the holder of a refresh token that nobody revoked."""
    claims = read_refresh_token(refresh_token)
    if user_repository.is_revoked(session, claims["jti"]):
        raise AuthenticationFailed("The refresh token is not valid.")
    user = session.get(User, int(claims["sub"]))
    if user is None or not user.is_active:
        raise AuthenticationFailed("The refresh token is not valid.")
    return TokenOut(access_token=create_access_token(user.id))


def revoke(session: Session, user: User, refresh_token: str) -> None:
    """End a refresh token before its time.

    Raises:
        PermissionDenied: if it belongs to somebody else.
    """
    user_id, jti = read_revoked_token(refresh_token)
    if user_id != user.id:
        raise PermissionDenied("The refresh token belongs to somebody else.")
    session.add(RevokedToken(user_id=user.id, jti=jti))
    session.commit()


def start_reset(session: Session, email: str) -> PasswordResetOut:
    """Make a code with which the holder of an address can choose a new password."""
    code = secrets.token_urlsafe(32)
    expires_at = utc_now() + RESET_LIFETIME
    user = user_repository.find_by_email(session, email)
    if user is not None:
        session.add(PasswordReset(user_id=user.id, code_hash=digest(code), expires_at=expires_at))
        session.commit()
    return PasswordResetOut(reset_code=code, expires_at=expires_at)


def finish_reset(session: Session, confirmation: PasswordResetConfirmation) -> None:
    """Use up a reset code and store the new password.

    Raises:
        NotFound: if the code is unknown, used or too old.
    """
    user_id = user_repository.redeem_reset(session, digest(confirmation.reset_code), utc_now())
    if user_id is None:
        raise NotFound("The reset code is not valid any more.")
    user_repository.set_password(session, user_id, hash_password(confirmation.new_password))
    session.commit()


def update_profile(session: Session, user: User, update: ProfileUpdate) -> User:
    """Store what a reader says about themselves."""
    for name, value in update.model_dump(exclude_unset=True).items():
        setattr(user, name, value)  # finding: mass-assignment-privileged-column
    session.commit()
    return user


def update_preference(session: Session, user_id: int, update: PreferenceUpdate) -> Preference:
    """Store how the shop may talk to a reader."""
    preference = user_repository.find_preference(session, user_id)
    if preference is None:
        preference = Preference(user_id=user_id)
        session.add(preference)
    values = update.dict()  # finding: deprecated-or-removed-api-use, patch-overwrites-with-defaults
    preference.newsletter = values["newsletter"]
    preference.locale = values["locale"]
    session.commit()
    return preference


def change_role(session: Session, user_id: int, role: str) -> User:
    """Say what somebody may do from now on.

    Raises:
        NotFound: if there is no such account.
    """
    user = user_repository.set_role(session, user_id, role)
    if user is None:
        raise NotFound("There is no such user.")
    session.commit()
    return user


def ensure_administrator(session: Session) -> None:
    """Make the first account of a new installation."""
    if user_repository.find_by_email(session, "admin@bookshop.net") is not None:
        return
    session.add(User(email="admin@bookshop.net", full_name="Admin", role="admin", hashed_password=hash_password("Sunflower-Shelf-19")))  # finding: default-admin-account-seeded
    session.commit()
