"""What a place for values has to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

#: Bytes that tell one envelope from every other: they begin with their lifetime and a random number.
HEADER = 48


@dataclass(frozen=True, slots=True)
class Stored:
    """What a place holds.

    Attributes:
        data: the envelope, or None.
        generation: of its group; what was kept under another one counts no more.
    """

    data: bytes | None
    generation: bytes = b""


@dataclass(frozen=True, slots=True)
class Lease:
    """The answer to whoever wants to load: what lies there by now, and whether the lock is theirs."""

    stored: Stored
    is_mine: bool


class CacheStorage(Protocol):
    """Keeps bytes, and one lock for each place. Every method may raise CacheUnavailable."""

    async def read(self, name: str, group: str | None) -> Stored:
        """Return what lies there."""

    async def acquire(
        self, name: str, group: str | None, seen: bytes | None, token: str, seconds: float
    ) -> Lease:
        """Take the lock, unless somebody has it, or another envelope than the seen one lies there."""

    async def fill(self, name: str, token: str, data: bytes | None, seconds: float) -> bool:
        """Put the data there (None: nothing) and give the lock back, if it is still held: a deletion takes it away."""

    async def release(self, name: str, token: str) -> None:
        """Give the lock back, if it is still held."""

    async def write(self, name: str, data: bytes, seconds: float) -> None:
        """Put the data there, and take the lock from whoever is loading something older."""

    async def generation(self, group: str) -> bytes:
        """Return the generation of a group."""

    async def delete(self, names: Sequence[str], groups: Sequence[str]) -> None:
        """Empty the places, take their locks, and begin new generations of the groups."""


class CacheUnavailable(Exception):
    """The values cannot be reached."""
