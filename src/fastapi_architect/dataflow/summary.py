"""What a function does with its parameters, as its callers need to know it."""

from __future__ import annotations

import msgspec

from fastapi_architect.dataflow.access_path import AccessPath
from fastapi_architect.dataflow.path import Trace
from fastapi_architect.dataflow.taint import CLEAN, Label, Sink, Taint, same


class Summary(msgspec.Struct, eq=False):
    """One function, in terms of the access paths of its own parameters.

    Attributes:
        returns: what it returns or yields.
        sinks: (label, identity of the sink) to the sink, the bits that no sanitiser on the way has cleared, and the way.
        leaving: parameter to what it holds when the function returns, for parameters that are checked or changed: a
            validator's summary is that its parameter leaves clean.
        passed: (position in a tuple or None, true or false) to what holds of parameters where the answer was that.
        captured: names of the enclosing function that the body reads.
        cut: a bound was hit; the summary may lack flows.
    """

    returns: Taint = CLEAN
    sinks: dict[tuple[Label, int], tuple[Sink, int, Trace | None]] = msgspec.field(default_factory=dict)
    leaving: dict[str, Taint] = msgspec.field(default_factory=dict)
    passed: dict[tuple[int | None, bool], dict[AccessPath, int]] = msgspec.field(default_factory=dict)
    captured: frozenset[str] = frozenset()
    cut: bool = False

    @property
    def says_nothing(self) -> bool:
        """A call of the function has a clean result and changes nothing."""
        return self.returns is CLEAN and not (self.sinks or self.leaving or self.captured)

    def says_the_same(self, other: Summary) -> bool:
        """Equal but for the traces."""
        return (
            self.sinks.keys() == other.sinks.keys()
            and all(mask == other.sinks[key][1] for key, (_, mask, _) in self.sinks.items())
            and self.passed == other.passed
            and self.leaving.keys() == other.leaving.keys()
            and same(self.returns, other.returns)
            and all(same(taint, other.leaving[name]) for name, taint in self.leaving.items())
        )


NOTHING = Summary()
