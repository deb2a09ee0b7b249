"""Hashing of passwords with Argon2id, off the event loop: one hash costs as much as many requests."""

import asyncio
import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

HASHER = PasswordHasher()


@lru_cache
def hash_of_nobody() -> str:
    """Return a hash that no password fits."""
    return HASHER.hash(secrets.token_urlsafe(32))


def verify_blocking(password_hash: str | None, password: str) -> bool:
    """Compare in the present thread; without a hash, spend the same time and say no."""
    try:
        HASHER.verify(password_hash or hash_of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


async def hash_password(password: str) -> str:
    """Return the hash to store."""
    return await asyncio.to_thread(HASHER.hash, password)


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Say whether the password is the one that was hashed.

    Args:
        password_hash: what is stored, or None when there is no such account; both take equally long.
        password: what the caller gave.
    """
    return await asyncio.to_thread(verify_blocking, password_hash, password)


def needs_rehash(password_hash: str) -> bool:
    """Say whether the hash was made with weaker parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)
