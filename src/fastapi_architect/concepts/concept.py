"""The base of the vocabulary."""

from __future__ import annotations

import msgspec

from fastapi_architect.program.definitions import Function, Scope
from fastapi_architect.program.facts import Site
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir


class Concept(msgspec.Struct, frozen=True, eq=False):
    """Something that happens at a call.

    A struct and no dataclass because there are many of them: making 76 dataclasses took 45 ms of every
    start, structs take one.

    Attributes:
        site: the call in its surroundings.
        name: dotted name of what is called, as the library model knows it.
        sure: False when the receiver was recognised by its name alone (duck typing): findings are then firm
            at most.
    """

    site: Site
    name: str
    sure: bool

    @property
    def scope(self) -> Scope:
        """The body it happens in."""
        return self.site.scope

    @property
    def function(self) -> Function | None:
        """The function it happens in; None at module or class level."""
        scope = self.site.scope
        return scope if isinstance(scope, Function) else None

    @property
    def node(self) -> ir.Call:
        """The call."""
        return self.site.node  # type: ignore[no-any-return]

    @property
    def location(self) -> Location:
        """Where it happens."""
        return self.site.scope.location(self.site.node)
