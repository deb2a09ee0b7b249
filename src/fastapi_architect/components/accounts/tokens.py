"""Access tokens are signed and live for minutes; all other tokens are random, and only their hash is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from pydantic import SecretStr

from ..problem_details.errors import NotAuthenticated
from .settings import AccountSettings

#: One algorithm, whatever a token says: neither `none` nor a public key as an HMAC key can be tried.
ALGORITHM = "HS256"
#: RFC 9068: nothing else that is signed with the same key passes for an access token.
TYPE = "at+jwt"
MAX_LENGTH = 4096
REQUIRED = ["iss", "aud", "sub", "iat", "exp", "sid", "epoch"]


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a valid access token says; nothing of it can change, unlike a name or a right."""

    account_id: UUID
    session_id: UUID
    epoch: int


class AccessTokens:
    """Signs and checks access tokens. The newest key signs; the one before is still believed."""

    def __init__(self, settings: AccountSettings) -> None:
        self._settings = settings
        keys = [settings.signing_key, settings.previous_signing_key]
        self._keys = {_key_id(key): key.get_secret_value() for key in keys if key is not None}
        self._signing_key_id = _key_id(settings.signing_key)
        #: The first part of nearly every token that comes: known, so that it need not be parsed before its key is.
        #: The rest of what is signed for that has ended long ago.
        self._keys_by_header = {
            jwt.encode({"exp": 0}, key, algorithm=ALGORITHM, headers=_header(name)).partition(".")[0]: key
            for name, key in self._keys.items()
        }

    def encode(self, claims: AccessClaims, session_ends: datetime) -> tuple[str, int]:
        """Return a token and for how many seconds it is good: never longer than the session."""
        now = datetime.now(UTC)
        ends = min(now + timedelta(minutes=self._settings.access_minutes), session_ends)
        content = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": str(claims.account_id),
            "sid": str(claims.session_id),
            "epoch": claims.epoch,
            "iat": now,
            "exp": ends,
        }
        token = jwt.encode(
            content,
            self._keys[self._signing_key_id],
            algorithm=ALGORITHM,
            headers=_header(self._signing_key_id),
        )
        return token, max(0, int((ends - now).total_seconds()))

    def decode(self, token: str) -> AccessClaims:
        """Return what the token says.

        Raises:
            NotAuthenticated: it is forged, expired, for somebody else, or no access token.
        """
        try:
            return self._decode(token)
        except (jwt.InvalidTokenError, ValueError, LookupError, TypeError) as error:
            raise NotAuthenticated("The access token is not valid.") from error

    def _decode(self, token: str) -> AccessClaims:
        if len(token) > MAX_LENGTH:
            raise ValueError("too long")
        content = jwt.decode(
            token,
            self._keys_by_header.get(token.partition(".")[0]) or self._key_of(token),
            algorithms=[ALGORITHM],
            audience=self._settings.audience,
            issuer=self._settings.issuer,
            leeway=self._settings.leeway_seconds,
            options={"require": REQUIRED},
        )
        epoch = int(content["epoch"])
        if not 0 <= epoch < 2**31:
            raise ValueError("no such number")
        return AccessClaims(account_id=UUID(content["sub"]), session_id=UUID(content["sid"]), epoch=epoch)

    def _key_of(self, token: str) -> str:
        """Return the key that a token names, whose header another version of the library wrote."""
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TYPE:
            raise ValueError("no access token")
        # The key id chooses among our keys; it is no name of a file or a query.
        return self._keys[header["kid"]]


def _header(key_id: str) -> dict[str, str]:
    return {"typ": TYPE, "kid": key_id}


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Two random parts: one of the session, the same in all its tokens, and one that is worth something once.

    Whoever shows the first with another second shows a token that was exchanged already. So the session needs no list of
    its old tokens, and there is nothing whose clean-up could make a replay look like a guess.
    """

    family: str
    once: str

    @classmethod
    def new(cls, family: str | None = None) -> "RefreshToken":
        """Return the first token of a session, or the next one of this family."""
        return cls(family or new_token(), new_token())

    @classmethod
    def parse(cls, text: str) -> "RefreshToken":
        """Read what a client sent; nonsense is a token that nobody has."""
        family, _, once = text.partition(".")
        return cls(family, once)

    @property
    def text(self) -> str:
        """What the client keeps."""
        return f"{self.family}.{self.once}"

    @property
    def family_hash(self) -> str:
        """What is stored of the first part."""
        return hash_token(self.family)

    @property
    def once_hash(self) -> str:
        """What is stored of the second part."""
        return hash_token(self.once)


def new_token() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return what is stored of a random token: a fast hash is enough, and can be searched for."""
    return hashlib.sha256(token.encode()).hexdigest()


def _key_id(key: SecretStr) -> str:
    return hashlib.sha256(b"key id of " + key.get_secret_value().encode()).hexdigest()[:16]
