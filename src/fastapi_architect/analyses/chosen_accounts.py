"""Whose account does an operation change: the caller's, or one that the client names in what it sends?

`PUT /profile` that finds the account by the `username` of its body changes anybody's. Where something is asked of the caller, or
the account is named by the path (`/users/{id}`, a back office), other questions apply.
"""

from __future__ import annotations

import msgspec

from fastapi_architect.analyses.body_events import Lookup
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.origins import Origin
from fastapi_architect.analyses.ownership import (
    asks_for_caller,
    checked_inputs,
    chosen_identity,
    serves_callers,
)
from fastapi_architect.analyses.principal import Frame, Story, story
from fastapi_architect.analyses.privileged_columns import privileges
from fastapi_architect.analyses.public_operations import is_public_by_nature
from fastapi_architect.analyses.row_fills import Fill, row_fills
from fastapi_architect.analyses.row_owners import principal_models
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.identity import PasswordVerify, SecretComparison, TokenDecode

_PROOFS = (PasswordVerify, SecretComparison, TokenDecode)


class ChosenAccount(msgspec.Struct, frozen=True, eq=False):
    """An account that the client names is filled with what the client sends.

    Attributes:
        operation: the operation.
        frame: its handler, with what it is given.
        lookup: how the account is found.
        chosen: by what.
        fill: where it is changed.
    """

    operation: PathOperation
    frame: Frame
    lookup: Lookup
    chosen: Origin
    fill: Fill


@question
def chosen_accounts(graph: AppGraph) -> tuple[ChosenAccount, ...]:
    """Every operation that does so although its handler is told who is calling; one for each operation."""
    people = {id(model) for model in principal_models(graph)}
    found: dict[int, ChosenAccount] = {}
    for fill in row_fills(graph):
        if fill.kind == "update" and id(fill.model) in people and id(fill.operation) not in found:
            chosen = _chosen(fill, graph)
            if chosen is not None:
                found[id(fill.operation)] = chosen
    return tuple(found.values())


def _chosen(fill: Fill, graph: AppGraph) -> ChosenAccount | None:
    operation = fill.operation
    if not serves_callers(graph, operation) or is_public_by_nature(operation) or _gives_rights(fill, graph):
        return None
    told = story(graph, operation)
    if not told.knows_caller or asks_for_caller(graph, operation) or _proves(operation, graph):
        return None
    covered = checked_inputs(told)
    for frame, lookup in _of_handler(told):
        column = lookup.column
        if lookup.model is not fill.model or not (
            column is None or column.primary_key or column.unique or _names(column.attribute)
        ):
            continue
        chosen = chosen_identity(lookup.by, told, covered)
        if chosen is not None and chosen[1] == fill.parameter.name and len(chosen) > 2:
            return ChosenAccount(operation, frame, lookup, chosen, fill)
    return None


def _of_handler(told: Story) -> list[tuple[Frame, Lookup]]:
    return [(frame, lookup) for frame, lookup in told.lookups if frame.function is told.operation.handler]


def _names(attribute: str) -> bool:
    return attribute in ("username", "email", "login", "uuid", "user_name", "phone_number")


def _gives_rights(fill: Fill, graph: AppGraph) -> bool:
    """A role is among the fields: that it is given away is what is wrong, whoever gets it."""
    fields = {field.name for field in fill.schema.fields} if fill.schema is not None else set[str]()
    return any(
        each.column.attribute in fields and each.what == "says what somebody may do"
        for each in privileges(graph, fill.model)
    )


def _proves(operation: PathOperation, graph: AppGraph) -> bool:
    """A password, a code or a token of the body is verified on the way."""
    functions = effects(graph).of_handler(operation).functions
    return any(graph.within(proof, function) for function in functions for proof in _PROOFS)
