"""How does a row lead to its owner: a person who signs in, or a tenant?

A model has an owner when a foreign key, a column of that name, or a chain of them, leads to the model of the principal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from fastapi_architect.analyses.digests import models_of_type
from fastapi_architect.analyses.origins import CALLER
from fastapi_architect.analyses.principal import story
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.program.types import FunctionRef
from fastapi_architect.source.lazy_pattern import lazy_pattern

_PERSON = lazy_pattern(
    r"user|account|member|person|customer|profile|principal|employee|student|patient|client"
)
#: Columns that say who did something with a row, not whose it is.
_AUDIT = lazy_pattern(
    r"^(last_|updat|modif|edit|delet|approv|assign|review|invit|resolv|lock|verif|publish|reject|accept|process|handl|grant|"
    r"revok|close|complet|sent|sender|receiv|request|archiv|merg|upload|manag|support|agent|referr|parent)"
)
_TABLES = frozenset({"user", "users", "account", "accounts", "auth_user"})
#: Models of what a person has, not of the person.
_HELD = lazy_pattern(
    r"role|token|session|group|member(ship)?$|link|permission|key$|setting|preference|history|log$"
)
#: Columns that say who made a row: everybody may be meant to see it.
_AUTHOR = lazy_pattern(r"^(author|creat|owner_org|publisher|poster)")
_WORD_BREAK = lazy_pattern(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_CHAIN = 2


class Owner(msgspec.Struct, frozen=True, eq=False):
    """How a row leads to its owner.

    Attributes:
        model: the model of the row.
        columns: columns that name the owner, or the row that has one.
        via: the owned model that they lead to; None when they name the owner itself.
        tenant: the owner is a tenant, not a person.
    """

    model: Model
    columns: tuple[Column, ...]
    via: Owner | None = None
    tenant: bool = False

    @property
    def is_author(self) -> bool:
        """The owner is only known as whoever made the row."""
        last = self.via or self
        return bool(_AUTHOR.search(last.columns[0].attribute))

    @property
    def path(self) -> str:
        """As a sentence names it: `Item.order_id -> Order.user_id`."""
        own = f"{self.model.name}.{self.columns[0].attribute}"
        return own if self.via is None else f"{own} -> {self.via.path}"


@question
def principal_models(graph: AppGraph) -> tuple[Model, ...]:
    """Models of whoever signs in: what authenticating dependencies give, else what they look up, else tables of people."""
    guards = {
        id(function): (function, operation)
        for operation in graph.operations
        for guard in graph.access(operation).guards
        if (function := guard.dependency.function if guard.dependency is not None else None) is not None
    }
    inference = graph.program.inference
    given: dict[int, Model] = {}
    for function, _ in guards.values():
        of = inference.call_result(FunctionRef(function), None, None)
        given |= {id(m): m for m in models_of_type(inference.awaited(of) or of, graph) if _is_person(m)}
    if given:
        return tuple(given.values())
    for key, (_, operation) in guards.items():
        for frame, lookup in story(graph, operation).lookups:
            if id(frame.function) == key and lookup.model is not None and lookup.by == {CALLER}:
                given |= {id(lookup.model): lookup.model} if _is_person(lookup.model) else {}
    return tuple(given.values()) or tuple(m for m in graph.models if m.table.name.lower() in _TABLES)


def _is_person(model: Model) -> bool:
    name = model.name.lower()
    return bool(_PERSON.search(name)) and not _HELD.search(name)


@question
def owners(graph: AppGraph) -> dict[int, Owner]:
    """Owned models, by the identity of the model; the principals' own models are not among them."""
    principals = principal_models(graph)
    tables = {m.table.full_name for m in principals} | {m.table.name for m in principals}
    known = {id(m) for m in principals}
    found: dict[int, Owner] = {}
    inner = {_key_of(m) for m in graph.models if any(not c.primary_key for c in m.tenant_columns)}
    for model in graph.models:
        if id(model) not in known:
            owner = _direct(model, tables, inner)
            if owner is not None:
                found[id(model)] = owner
    for _ in range(_MAX_CHAIN):
        by_table = {owner.model.table.full_name: owner for owner in found.values()}
        by_key = _by_key(graph.models, found)
        more = {
            id(model): owner
            for model in graph.models
            if id(model) not in found
            and id(model) not in known
            and (owner := _through(model, by_table) or _by_its_name(model, by_key)) is not None
        }
        found |= more
    return found


def _by_key(models: Iterable[Model], owned: dict[int, Owner]) -> dict[str, Owner]:
    """`order_id` to the owner of `Order`, where one model alone has that name."""
    named = Counter(_key_of(model) for model in models)
    return {key: o for o in owned.values() if named[key := _key_of(o.model)] == 1}


def _key_of(model: Model) -> str:
    return f"{_WORD_BREAK.sub('_', model.name).lower()}_id"


def _by_its_name(model: Model, by_key: dict[str, Owner]) -> Owner | None:
    """A parent that no constraint names: many schemas keep `order_id` as a bare number."""
    for column in model.columns:
        owner = by_key.get(column.attribute)
        if owner is not None and not column.foreign_keys and owner.model is not model:
            return Owner(model, (column,), owner, owner.tenant)
    return None


def _direct(model: Model, people: set[str], inner: set[str]) -> Owner | None:
    """The owner that a row names itself; `inner` are columns that lead to rows which belong to a tenant themselves."""
    named = {id(column) for column in model.owner_columns if not column.foreign_keys}
    composite = sum(column.primary_key for column in model.columns) > 1
    columns = [
        column
        for column in model.columns
        if (not column.primary_key or composite)
        and not _AUDIT.search(column.attribute)
        and (id(column) in named or any(key.table in people for key in column.foreign_keys))
    ]
    if columns:
        # An author is an owner where the rows have no other.
        columns.sort(key=lambda column: bool(_AUTHOR.search(column.attribute)))
        return Owner(model, tuple(columns))
    tenant = [c for c in model.tenant_columns if not c.primary_key and c.attribute not in inner]
    return Owner(model, tuple(tenant), tenant=True) if tenant else None


def _through(model: Model, owned: dict[str, Owner]) -> Owner | None:
    for column in model.columns:
        for key in column.foreign_keys:
            owner = owned.get(key.table)
            if owner is not None and owner.model is not model and not column.nullable:
                return Owner(model, (column,), owner, owner.tenant)
    return None
