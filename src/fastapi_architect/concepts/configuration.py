"""Where settings come from."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class EnvironmentRead(Concept, frozen=True, eq=False):
    """A variable of the environment is read.

    Attributes:
        variable: its name.
        default: what is used when it is not set; None when nothing is given.
    """

    variable: ir.Expr | None = None
    default: ir.Expr | None = None


class EnvironmentFileLoad(Concept, frozen=True, eq=False):
    """A file of variables is loaded."""

    path: ir.Expr | None = None


class ClockRead(Concept, frozen=True, eq=False):
    """The time is read.

    Attributes:
        kind: utcnow (naive, deprecated), now, today, timestamp, monotonic or utcfromtimestamp.
        aware: the value carries a time zone.
    """

    kind: str
    aware: bool = False
