"""What happens in a body, as far as ownership goes: rows are looked up, rows are made, values are tested together."""

from __future__ import annotations

import msgspec

from fastapi_architect.analyses.origins import InCaller, Origins, Value, flat, put_in
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.program.facts import Site

#: Calls between an operation's function and a statement.
_MAX_CALLS = 6


class Lookup(msgspec.Struct, frozen=True, eq=False):
    """Rows of a model are asked for, or changed, by a value.

    Attributes:
        model: the mapped class; None while it is a type variable.
        column: what they are asked for by; None for the primary key.
        kind: select, update, delete, get ...
        by: of what the value is made.
        every: of what the whole statement is made, its session included.
        sites: the call that the function makes, and below it the calls that lead to the statement, which is last.
        model_parameter: the parameter that the model is handed in by, "" when it is not.
        told: for each of those calls, what it is given.
    """

    model: Model | None
    column: Column | None
    kind: str
    by: Origins
    every: Origins
    sites: tuple[Site, ...]
    model_parameter: str = ""
    told: tuple[Origins, ...] = ()

    @property
    def site(self) -> Site:
        """Where the statement stands."""
        return self.sites[-1]


class Check(msgspec.Struct, frozen=True, eq=False):
    """Values that are tested together.

    Attributes:
        about: of what the test is made.
        role: its words are about roles or permissions.
        site: where.
    """

    about: Origins
    role: bool
    site: Site


class Creation(msgspec.Struct, frozen=True, eq=False):
    """A row of a model is made, or one of its columns is assigned.

    Attributes:
        model: the mapped class.
        given: its columns, and of what they are made.
        sites: the call that the function makes, and below it the calls that lead to the place, which is last.
    """

    model: Model
    given: Value
    sites: tuple[Site, ...]

    @property
    def site(self) -> Site:
        """Where the row is made."""
        return self.sites[-1]


class Digest(msgspec.Struct, frozen=True, eq=False):
    """What a function does, in terms of its parameters."""

    gives: Value
    lookups: tuple[Lookup, ...]
    checks: tuple[Check, ...]
    creations: tuple[Creation, ...]

    def applied(self, arguments: dict[str, Value], site: Site | None) -> Digest:
        """The digest with arguments in place of parameters; `site` is the call, None for FastAPI's."""
        given: Origins = frozenset[tuple[str, ...]]().union(*map(flat, arguments.values()))
        caller = InCaller(arguments)
        return Digest(
            put_in(self.gives, arguments),
            tuple(_moved(each, caller, site, given) for each in self.lookups if len(each.sites) < _MAX_CALLS),
            tuple(Check(caller.of(each.about), each.role, each.site) for each in self.checks),
            tuple(
                Creation(each.model, put_in(each.given, arguments), _longer(each.sites, site))
                for each in self.creations
                if len(each.sites) < _MAX_CALLS
            ),
        )


def _moved(lookup: Lookup, caller: InCaller, site: Site | None, given: Origins) -> Lookup:
    """A callee's lookup in terms of the caller."""
    told = tuple(caller.of(origins) for origins in lookup.told)
    return Lookup(
        lookup.model,
        lookup.column,
        lookup.kind,
        caller.of(lookup.by),
        caller.of(lookup.every),
        _longer(lookup.sites, site),
        lookup.model_parameter,
        told if site is None else (given, *told),
    )


def _longer(sites: tuple[Site, ...], site: Site | None) -> tuple[Site, ...]:
    return sites if site is None else (site, *sites)
