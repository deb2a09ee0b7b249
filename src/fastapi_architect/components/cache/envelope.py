"""How a value lies in a storage: a line about its lifetime and its group, then its JSON."""

import secrets
from dataclasses import dataclass

from .storage import Stored


@dataclass(frozen=True, slots=True)
class Envelope:
    """A value that was kept, still as JSON, and whether it is fresh."""

    data: bytes
    is_fresh: bool


def seal(data: bytes, *, fresh_until: float, generation: bytes) -> bytes:
    """Return the bytes to be kept.

    Args:
        data: the JSON.
        fresh_until: seconds since 1970.
        generation: of the group, as it was before loading began.
    """
    return b"%015.3f %s %s\n%s" % (fresh_until, secrets.token_hex(8).encode(), generation, data)


def unseal(stored: Stored, now: float) -> Envelope | None:
    """Return what was kept; None if there is nothing, nothing readable, or something of a group that was invalidated."""
    if stored.data is None:
        return None
    header, line_end, data = stored.data.partition(b"\n")
    words = header.split(b" ")
    if not line_end or len(words) != 3 or words[2] != stored.generation:
        return None
    try:
        return Envelope(data, now < float(words[0]))
    except ValueError:
        return None
