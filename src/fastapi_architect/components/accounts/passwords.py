"""Hashes of passwords (Argon2id), made off the event loop and few at once; and which passwords are accepted."""

import secrets
import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ..problem_details.errors import InvalidInput, Unavailable
from .common_passwords import is_common

Result = TypeVar("Result")
MIN_LENGTH, MAX_LENGTH = 12, 128


class PasswordPolicy:
    """Refuses passwords that are guessed first. Length is the schema's matter; there are no rules on which characters.

    Subclass it, for example to ask a service for breached passwords.
    """

    async def check(self, password: str, personal: Iterable[str] = ()) -> None:
        """Accept a new password.

        Args:
            password: as its owner typed it.
            personal: what an attacker knows of them, such as the e-mail address.

        Raises:
            InvalidInput: it is one of those that everybody tries.
        """
        if is_common(password, personal):
            raise InvalidInput(
                "This password is easily guessed. Choose another one, such as four unrelated words."
            )


class PasswordHashing:
    """Hashes and verifies in threads; only so many at once, because each takes a core and much memory.

    Args:
        hasher: with parameters for your machine; the default are those of RFC 9106 for servers with little memory.
        at_once: how many hashes are computed at the same time.
        waiting: how many may wait; who comes later is told to try again.
    """

    def __init__(self, hasher: PasswordHasher | None = None, *, at_once: int = 2, waiting: int = 100) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limiter = CapacityLimiter(at_once)
        self._waiting = waiting
        self._of_nobody = ""

    async def prepare(self) -> None:
        """Make the hash that is verified when there is none; or else the first unknown name would take twice as long."""
        if not self._of_nobody:
            self._of_nobody = await self._in_thread(self._hasher.hash, secrets.token_urlsafe(32))

    async def hash(self, password: str) -> str:
        """Return the hash to store.

        Raises:
            Unavailable: too many wait.
        """
        return await self._in_thread(self._hasher.hash, _normal(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Say whether the password is the one that was hashed; without a hash, spend the same time and say no.

        Raises:
            Unavailable: too many wait.
        """
        await self.prepare()
        fits = await self._in_thread(self._fits, password_hash or self._of_nobody, _normal(password))
        return fits and password_hash is not None

    def needs_rehash(self, password_hash: str) -> bool:
        """Say whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, function: Callable[..., Result], *arguments: str) -> Result:
        if self._limiter.statistics().tasks_waiting >= self._waiting:
            raise Unavailable("Too many people sign in at the moment.", retry_after=2)
        return await to_thread.run_sync(function, *arguments, limiter=self._limiter)


def _normal(password: str) -> str:
    # The same letters may come composed or decomposed, by keyboard and system (NIST SP 800-63B 3.1.1.2).
    return unicodedata.normalize("NFKC", password)
