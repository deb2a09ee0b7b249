"""What a place for counters has to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .rates import Rate

#: A window is counted in so many slices. A unit counts until the whole slice it fell into is older than the window:
#: never less than the window, and at most a twentieth longer.
SLICES = 20


@dataclass(frozen=True, slots=True)
class Charge:
    """Units to be taken from one counter."""

    key: str
    rate: Rate
    cost: int = 1


@dataclass(frozen=True, slots=True)
class Level:
    """How a counter stands after a charge.

    Attributes:
        allowed: whether this counter had enough left.
        remaining: units that are left.
        wait: seconds until there is enough for the charge; for an allowed one, until units come back.
    """

    allowed: bool
    remaining: int
    wait: float


class RateLimitStorage(Protocol):
    """Keeps counters. Charges that come together are taken together, or none of them."""

    async def charge(self, charges: Sequence[Charge]) -> list[Level]:
        """Take all charges if every counter has enough left, else none; return how each stands.

        Raises:
            StorageUnavailable: the counters cannot be reached.
        """

    async def forget(self, keys: Sequence[str]) -> None:
        """Begin these counters anew.

        Raises:
            StorageUnavailable: the counters cannot be reached.
        """


class StorageUnavailable(Exception):
    """The counters cannot be reached."""
