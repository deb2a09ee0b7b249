"""The way of a value from a source to a sink, as steps that a reader can follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from fastapi_architect.findings.finding import Step
from fastapi_architect.program.definitions import Scope
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.access_path import AccessPath
    from fastapi_architect.dataflow.taint import Sink, Source


#: Functions that call each other twice over many levels would unfold without end.
MAX_STEPS = 100


class Trace(msgspec.Struct, frozen=True, eq=False):
    """One step of a way, linked to the one before; what a called function did with the value is `inner`.

    Attributes:
        kind: assigned (into `name`), passed (to `name`), returned (by `name`), provided (by `name`), mixed (by `name`,
            which is too long to be followed: what it returns may be made of it).
        scope: where it happens.
        node: the statement or call.
        name: the variable or function.
        detail: the parameter, for passed.
        previous: the step before, None at the start.
        inner: the last step inside the called function, None when there is none.
    """

    kind: str
    scope: Scope
    node: ir.Node
    name: str
    detail: str = ""
    previous: Trace | None = None
    inner: Trace | None = None

    def after(self, previous: Trace | None) -> Trace:
        """This step behind others."""
        return Trace(self.kind, self.scope, self.node, self.name, self.detail, previous, self.inner)

    def around(self, previous: Trace | None, inner: Trace | None) -> Trace:
        """This step behind others, with what happened inside the called function."""
        return Trace(self.kind, self.scope, self.node, self.name, self.detail, previous, inner)

    @property
    def text(self) -> str:
        """The step as a sentence."""
        if self.kind == "assigned":
            return f"it becomes part of `{self.name}`"
        if self.kind == "passed":
            return f"it is passed to `{self.name}` as `{self.detail}`"
        if self.kind == "provided":
            return f"`{self.name}` provides it as `{self.detail}`"
        if self.kind == "mixed":
            return f"it goes into `{self.name}`, whose result may be made of it"
        return f"`{self.name}` returns it"


def flattened(trace: Trace | None) -> list[Trace]:
    """Steps in order, those inside called functions in their place; at most `MAX_STEPS`, the first ones."""
    found: list[Trace] = []
    stack: list[tuple[Trace, bool]] = [(trace, False)] if trace is not None else []
    # Written backwards from the last step: a returned value was inside before it came back, a passed one after.
    while stack and len(found) < MAX_STEPS:
        current, emitted = stack.pop()
        if emitted:
            found.append(current)
            continue
        before = [(current.previous, False)] if current.previous is not None else []
        inner = [(current.inner, False)] if current.inner is not None else []
        own = [(current, True)]
        order = (
            [*before, *inner, *own] if current.kind in ("returned", "provided") else [*before, *own, *inner]
        )
        stack += reversed(order)
    return found


class TaintPath(msgspec.Struct, frozen=True, eq=False):
    """A source reaches a sink.

    Attributes:
        source: where it begins.
        path: which part of the source's parameter it is, the parameter's name first.
        sink: where it ends.
        traces: the hops between, in order.
        aspects: what is still dangerous about the value, of a kind with aspects.
    """

    source: Source
    path: AccessPath
    sink: Sink
    traces: tuple[Trace, ...]
    aspects: frozenset[str] = frozenset()

    def steps(self) -> tuple[Step, ...]:
        """Evidence between source and sink, repeats of one place left out."""
        found: list[Step] = []
        for trace in self.traces:
            step = Step(trace.scope.location(trace.node), trace.text)
            if not found or found[-1] != step:
                found.append(step)
        return tuple(found)
