"""Sessions in Redis, found by the hash of what the cookie holds: who reads Redis cannot sign in with it."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from redis.exceptions import RedisError

from ..problem_details.errors import Unavailable
from ..redis_pool import RedisPool


class BrowserSession(BaseModel):
    """Whose session it is, and what a page has to send with every change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_id: UUID
    #: Of the account: ending it there, or all of them, ends this one.
    session_id: UUID
    epoch: int
    csrf_token: str


class BrowserSessionStore:
    """Keeps, finds and forgets sessions. Each raises `Unavailable` while Redis does not answer: there is no second place.

    Args:
        redis: where they lie.
        idle_seconds: after which an unused one is forgotten.
    """

    def __init__(self, redis: RedisPool, idle_seconds: int) -> None:
        self._redis = redis
        self._idle_seconds = idle_seconds

    async def keep(self, session: BrowserSession) -> str:
        """Keep a session, and return the new secret that opens it."""
        secret = secrets.token_urlsafe(32)
        with _needed():
            await self._redis.client.set(self._key(secret), session.model_dump_json(), ex=self._idle_seconds)
        return secret

    async def find(self, secret: str) -> BrowserSession | None:
        """Return the session, and let it live on."""
        with _needed():
            kept = await self._redis.client.getex(self._key(secret), ex=self._idle_seconds)
        if kept is None:
            return None
        try:
            return BrowserSession.model_validate_json(kept)
        except ValidationError:
            # Of an older or a newer version of this service: whoever it was signs in again.
            return None

    async def forget(self, secret: str) -> None:
        """End a session."""
        with _needed():
            await self._redis.client.delete(self._key(secret))

    def _key(self, secret: str) -> str:
        return self._redis.key("browser-session", hashlib.sha256(secret.encode()).hexdigest())


@contextmanager
def _needed() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("Sessions cannot be read at the moment.", retry_after=5) from error
