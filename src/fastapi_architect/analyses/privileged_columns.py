"""Which columns of a model may a client not set: what somebody may do, what the server has verified, money, and whose the row is?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.row_owners import owners, principal_models
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: What an account may do.
_AUTHORITY = lazy_pattern(
    r"^(is_?)?(admin|administrator|superuser|super_?admin|staff|root|moderator|owner)$|^(user_?|account_?|system_?|global_?)?"
    r"roles?(_ids?|_name)?$|^permissions?$|^privileges?$|^access_level$|^scopes$"
)
#: What the server has found out about an account.
_VERIFIED = lazy_pattern(
    r"^(is_?)?(email_?|phone_?)?(verified|approved|confirmed)(_at)?$|^hashed_?password$|^password_?(hash|digest)$|^is_?banned$"
)
#: What an account has paid for.
_MONEY = lazy_pattern(
    r"^(account_?|wallet_?)?(balance|credits?)(_?(balance|cents|amount))?$|^(subscription_?)?(plan|tier)(_id)?$"
)
_ACCOUNT = lazy_pattern(r"user|account|member|profile|customer|principal|wallet|person|employee")


class Privilege(msgspec.Struct, frozen=True):
    """A column that only the server may set; `what` says why."""

    column: Column
    what: str


def privileges(graph: AppGraph, model: Model) -> tuple[Privilege, ...]:
    """The privileged columns of a model, the most dangerous first."""
    return tuple(_find(graph, model))


def _find(graph: AppGraph, model: Model) -> Iterator[Privilege]:
    is_account = any(model is each for each in principal_models(graph)) or bool(
        _ACCOUNT.search(model.name.lower())
    )
    columns = [column for column in model.columns if not column.primary_key]
    for pattern, what in (
        (_AUTHORITY, "says what somebody may do"),
        (_VERIFIED, "says what the server has verified"),
        (_MONEY, "says what somebody has paid for"),
    ):
        for column in columns if is_account else ():
            if pattern.search(column.attribute.lower()):
                yield Privilege(column, what)
    owner = owners(graph).get(id(model))
    if owner is not None and (owner.via is None or owner.tenant):
        for column in owner.columns if owner.via is None else model.tenant_columns:
            yield Privilege(column, "says whose the row is")
