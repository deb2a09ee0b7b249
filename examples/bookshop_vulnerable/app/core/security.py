"""Passwords and tokens."""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from app.core.config import settings
from app.core.errors import AuthenticationFailed

password_hasher = PasswordHasher()

# The hash of a random value: a login for an unknown address costs as much as one with a wrong password.
ABSENT_USER_HASH = "$argon2id$v=19$m=65536,t=3,p=4$9Bu6CwueDRsxDr/nuW0vkA$SCq83wST2CUWV0pxqTgFPl0UV9HY8x9OMNsAGimK9G8"


def hash_password(password: str) -> str:
    """Hash a password for storage."""
    return password_hasher.hash(password)


def verify_password(stored: str, password: str) -> bool:
    """Say whether `password` is the one behind the hash `stored`."""
    try:
        return password_hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def digest(secret: str) -> str:
    """The form in which long random secrets (reset codes, API keys) are stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _encode(user_id: int, kind: str, lifetime: timedelta) -> str:
    now = datetime.now(UTC)
    claims = {"sub": str(user_id), "typ": kind, "jti": uuid.uuid4().hex, "iat": now, "exp": now + lifetime}
    return jwt.encode(claims, settings.jwt_secret, algorithm="HS256")


def create_access_token(user_id: int) -> str:
    """A token for the Authorization header."""
    return _encode(user_id, "access", timedelta(minutes=settings.access_token_minutes))


def create_refresh_token(user_id: int) -> str:
    """A token that buys new access tokens."""
    return _encode(user_id, "refresh", timedelta(days=settings.refresh_token_days))


def read_access_token(token: str) -> int:
    """The user id in a valid access token.

    Raises:
        AuthenticationFailed: if the token is expired, forged or of another kind.
    """
    try:
        claims = jwt.decode(
            token, settings.jwt_secret, algorithms=["HS256"], options={"require": ["exp", "sub", "typ"]}
        )
    except jwt.PyJWTError as exc:
        raise AuthenticationFailed("The access token is not valid.") from exc
    if claims["typ"] != "access":
        raise AuthenticationFailed("The access token is not valid.")
    return int(claims["sub"])


def read_refresh_token(token: str) -> dict[str, Any]:
    """The claims of a valid refresh token.

    Raises:
        AuthenticationFailed: if the token is expired, forged or of another kind.
    """
    try:
        algorithm = jwt.get_unverified_header(token)["alg"]
        claims = jwt.decode(token, settings.jwt_secret, algorithms=[algorithm])  # finding: jwt-algorithm-not-pinned
    except jwt.PyJWTError as exc:
        raise AuthenticationFailed("The refresh token is not valid.") from exc
    if claims.get("typ") != "refresh":
        raise AuthenticationFailed("The refresh token is not valid.")
    return claims


def read_revoked_token(token: str) -> tuple[int, str]:
    """Whose refresh token is being revoked, and its id.

    Raises:
        AuthenticationFailed: if the token cannot be read.
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False})  # finding: jwt-signature-not-verified
        return int(claims["sub"]), str(claims["jti"])
    except (jwt.PyJWTError, KeyError, ValueError) as exc:
        raise AuthenticationFailed("The refresh token is not valid.") from exc
