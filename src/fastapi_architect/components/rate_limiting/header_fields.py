"""RateLimit-Policy and RateLimit, as draft-ietf-httpapi-ratelimit-headers-11 writes them."""

import math
from collections.abc import Iterable

from .limiter import PolicyLevel

HeaderFields = list[tuple[bytes, bytes]]


def rate_limit_fields(levels: Iterable[PolicyLevel]) -> HeaderFields:
    """Return the two fields: what is allowed, and what is left of it for how many seconds."""
    # A limit that was counted twice is told once, as it stands now.
    latest = {each.name: each for each in levels}
    if not latest:
        return []
    policies = ", ".join(
        f"{_text(name)};q={each.rate.amount};w={each.rate.seconds}" for name, each in latest.items()
    )
    levels_now = ", ".join(
        f"{_text(name)};r={each.level.remaining};t={math.ceil(each.level.wait)}"
        for name, each in latest.items()
    )
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", levels_now.encode())]


def _text(name: str) -> str:
    """Return a String of RFC 9651: quoted, of printable ASCII."""
    printable = "".join(character if " " <= character <= "~" else "?" for character in name)
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'
