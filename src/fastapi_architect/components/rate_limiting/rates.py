"""How much in how long: `10/minute`, `5/15 minutes`, `1000/hour`."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"\s*(\d{1,9})\s*/\s*(?:(\d{1,6})\s*)?(second|minute|hour|day)s?\s*")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in any window of so many seconds."""

    amount: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rate that a text such as `5/15 minutes` means.

        Raises:
            ValueError: it means none.
        """
        match = _RATE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no rate; write it like 10/minute or 5/15 minutes")
        amount, times, unit = match.groups()
        seconds = int(times or 1) * _UNITS[unit]
        if int(amount) < 1 or not 1 <= seconds <= 31 * 86400:
            raise ValueError(f"{text!r} allows nothing, or counts longer than a month")
        return cls(int(amount), seconds)

    def __str__(self) -> str:
        return f"{self.amount}/{self.seconds} seconds"


class Outage(StrEnum):
    """What happens while the counters cannot be reached."""

    #: Requests pass uncounted: for reading, where an outage of Redis must not become one of the service.
    OPEN = "open"
    #: Requests are refused: for guessing passwords, where an outage of Redis must not become free attempts.
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Limit:
    """Rates that hold together for each subject.

    Attributes:
        name: what callers see, as the name of the policy.
        rates: all of them hold.
        outage: what happens while the counters cannot be reached.
        counter: what tells its counters from those of other limits; limits of one counter share them.
        advertised: whether the fields of the answer speak of it.
    """

    name: str
    rates: tuple[Rate, ...]
    outage: Outage = Outage.OPEN
    counter: str = ""
    advertised: bool = True

    @classmethod
    def of(cls, name: str, *rates: str, outage: Outage = Outage.OPEN, advertised: bool = True) -> Self:
        """Return a limit of rates that are written as text."""
        if not rates:
            raise ValueError("a limit needs a rate, such as 10/minute")
        return cls(name, tuple(Rate.parse(rate) for rate in rates), outage, advertised=advertised)
