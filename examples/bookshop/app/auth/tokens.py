"""Access tokens are signed and short-lived; all other tokens are random, and only their hash is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt

from app.errors import InvalidCredentials
from app.users.models import User

ALGORITHM = "HS256"
ISSUER = "bookshop"
AUDIENCE = "bookshop-api"
ACCESS_TYPE = "access"
ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
SESSION_LIFETIME = timedelta(days=14)
VERIFICATION_LIFETIME = timedelta(hours=24)
RESET_LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True)
class AccessClaims:
    """What a valid access token says."""

    user_id: UUID
    epoch: int


def new_opaque_token() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def hash_opaque_token(token: str) -> str:
    """Return what is stored of an opaque token. It is random already, so that a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def encode_access_token(user: User, signing_key: str) -> str:
    """Return a signed access token for the account."""
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user.id),
        "iat": now,
        "exp": now + ACCESS_TOKEN_LIFETIME,
        "jti": str(uuid4()),
        "type": ACCESS_TYPE,
        "epoch": user.access_epoch,
    }
    return jwt.encode(claims, signing_key, algorithm=ALGORITHM)


def decode_access_token(token: str, signing_key: str) -> AccessClaims:
    """Return the claims of an access token.

    Raises:
        InvalidCredentials: it is forged, expired, for somebody else, or no access token.
    """
    try:
        claims = jwt.decode(
            token,
            signing_key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "type", "epoch"]},
        )
        if claims["type"] != ACCESS_TYPE:
            raise InvalidCredentials("The access token is not valid.")
        return AccessClaims(user_id=UUID(claims["sub"]), epoch=int(claims["epoch"]))
    except (jwt.InvalidTokenError, ValueError) as error:
        raise InvalidCredentials("The access token is not valid.") from error
