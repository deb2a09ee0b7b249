"""When to try again, and after how long.

Own lines instead of a library: what is retried is mostly an answer, not an exception, the other host names the wait, and
blocking and asynchronous callers share the decision.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from httpx2 import Headers

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
WORTH_RETRYING = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how slowly.

    Args:
        attempts: with the first one.
        first_wait, longest_wait: seconds; the wait doubles from the first to the longest.
        chance: a number in [0, 1); every wait is drawn below its bound, so that clients do not come back together.
    """

    attempts: int = 3
    first_wait: float = 0.2
    longest_wait: float = 5.0
    chance: Callable[[], float] = random.random

    def wait(self, attempt: int, headers: Headers | None = None) -> float | None:
        """Return how long to wait after this attempt (the first is 1); None if that was the last.

        Args:
            attempt: how many were made.
            headers: of the answer, whose Retry-After is kept to; None if there was no answer.
        """
        if attempt >= self.attempts:
            return None
        asked = None if headers is None else retry_after(headers)
        if asked is not None:
            return None if asked > self.longest_wait else asked + self.chance() * self.first_wait
        bound = min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1))
        return bound * self.chance()


def retry_after(headers: Headers) -> float | None:
    """Return the seconds of Retry-After, a number or a date (RFC 9110, 10.2.3); None if there is none that makes sense."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    seconds: float = (moment - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds)
