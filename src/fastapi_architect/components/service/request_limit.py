"""What one request of a component may cost, where that is more than usual."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """A component says it of its paths as `request_limits`, by template; `request_limits` of that name asks for it."""

    #: Of the body; None: as usual.
    max_bytes: int | None = None
    #: From the first byte until the answer begins; None: as usual.
    seconds: float | None = None
