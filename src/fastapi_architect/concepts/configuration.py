"""Where settings come from."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


@dataclass(frozen=True, slots=True, eq=False)
class EnvironmentRead(Concept):
    """A variable of the environment is read.

    Attributes:
        variable: its name.
        default: what is used when it is not set; None when nothing is given.
    """

    variable: ir.Expr | None = None
    default: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EnvironmentFileLoad(Concept):
    """A file of variables is loaded."""

    path: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ClockRead(Concept):
    """The time is read.

    Attributes:
        kind: utcnow (naive, deprecated), now, today, timestamp, monotonic or utcfromtimestamp.
        aware: the value carries a time zone.
    """

    kind: str
    aware: bool = False
