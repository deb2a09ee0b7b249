"""Which dependencies know the tenant that a request is for, and accept a row without asking whether it belongs there?

`get_session(cookie)` finds a session by its token, `get_tenant(slug)` the tenant that the client names; a dependency that receives
both and gives out the session, or its user, must compare the two: the session may have been opened at another tenant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.injected_values import with_parents
from fastapi_architect.analyses.row_origins import model_of
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Models that must belong to a table before it counts as that of the tenants.
_FEWEST_MODELS = 2
_NAMED_BY_CLIENT = frozenset({"path", "query", "header", "cookie"})
_CREDENTIALS = lazy_pattern(r"token|auth|credential|jwt|api_?key|session|signature", re.IGNORECASE)


class AcceptedRow(msgspec.Struct, frozen=True, eq=False):
    """A row that a dependency gives out without a look at its tenant.

    Attributes:
        function: the dependency.
        row: its parameter that holds the row.
        tenant: its parameter that holds the tenant.
        model: what the row is.
        way: from the row to the tenant's key: `tenant_id`, `user.tenant_id`.
        site: the `return`.
        operations: those that accept it.
    """

    function: Function
    row: str
    tenant: str
    model: Model
    way: str
    site: Site
    operations: tuple[PathOperation, ...]


@question
def accepted_rows(graph: AppGraph) -> tuple[AcceptedRow, ...]:
    """All of them, in order of operations."""
    tenants = _tenants(graph)
    if not tenants:
        return ()
    found: dict[int, AcceptedRow] = {}
    for operation in graph.operations:
        for function, given in _receiving(operation).items():
            if id(function) not in found and function is not operation.handler:
                accepted = _accepted(graph, function, given, tenants)
                if accepted is not None:
                    found[id(function)] = accepted
    return tuple(found.values())


@question
def _tenants(graph: AppGraph) -> dict[int, Model]:
    """Models of tenants, by the identity of their class: the tenant columns of other models refer to them."""
    tables = Counter(
        key.table for model in graph.models for column in model.tenant_columns for key in column.foreign_keys
    )
    return {
        id(model.cls): model
        for model in graph.models
        if model.table.name and tables[model.table.name] >= _FEWEST_MODELS
    }


def _receiving(operation: PathOperation) -> dict[Function, list[Dependency]]:
    """Functions of an operation, each with the dependencies that its parameters receive."""
    found: dict[Function, list[Dependency]] = {}
    for dependency in operation.dependencies:
        own = operation.handler if dependency.level == "parameter" else None
        for each, receiver in with_parents(dependency, own):
            if receiver is not None and each.parameter_name:
                found.setdefault(receiver, []).append(each)
    return found


def _accepted(
    graph: AppGraph, function: Function, given: list[Dependency], tenants: dict[int, Model]
) -> AcceptedRow | None:
    models = {
        each.parameter_name: model_of(graph, ir.Name(0, each.parameter_name), function) for each in given
    }
    for tenant in given:
        model = models[tenant.parameter_name]
        if model is None or id(model.cls) not in tenants or not _is_named_by_client(tenant):
            continue
        for row in given:
            held = models[row.parameter_name]
            if held is None or row.function is None or _depends_on(row, tenant) or _depends_on(tenant, row):
                continue
            for way, site in _given_out(graph, function, row.parameter_name, held, model):
                operations = tuple(o for o in graph.entries(function) if not _compares(graph, o, way))
                if operations and not _meet(function, row.parameter_name, tenant.parameter_name):
                    return AcceptedRow(
                        function, row.parameter_name, tenant.parameter_name, held, way, site, operations
                    )
    return None


def _is_named_by_client(tenant: Dependency) -> bool:
    """By a path, a query, a header; not by what the client has signed in with, which says who asks, too."""
    inputs = [parameter for each in tenant.walk() for parameter in each.parameters]
    if any(each.is_security or each.instance_of.startswith("fastapi.security") for each in tenant.walk()):
        return False
    named = [each for each in inputs if each.kind in _NAMED_BY_CLIENT]
    return bool(named) and not any(_CREDENTIALS.search(f"{each.name} {each.alias}") for each in named)


def _depends_on(one: Dependency, other: Dependency) -> bool:
    """What one gives may have been chosen by the other."""
    return any(each.function is other.function for each in one.walk())


def _given_out(
    graph: AppGraph, function: Function, row: str, held: Model, tenant: Model
) -> Iterator[tuple[str, Site]]:
    """Returns of the row, or of a row that it leads to, with the way from the row to its tenant."""
    for site in function.facts.sites(ir.Return):
        value = site.node.value
        owner, way = held, ""
        if isinstance(value, ir.Attribute):
            relationship = held.relationship_by_name.get(value.attr)
            target = relationship.target if relationship is not None and not relationship.uselist else None
            found = graph.database.model(target) if target is not None else None
            if found is None:
                continue
            owner, way, value = found, f"{value.attr}.", value.value
        if isinstance(value, ir.Name) and value.id == row:
            for column in owner.tenant_columns:
                if any(key.table == tenant.table.name for key in column.foreign_keys):
                    yield f"{way}{column.attribute}", site


def _meet(function: Function, row: str, tenant: str) -> bool:
    """The function compares the two, or hands both to somebody who may."""
    for kind in (ir.Compare, ir.Call):
        for site in function.facts.sites(kind):
            names = {node.id for node in walk(site.node) if isinstance(node, ir.Name)}
            if row in names and tenant in names:
                return True
    return False


def _compares(graph: AppGraph, operation: PathOperation, way: str) -> bool:
    """Some function of the operation compares the tenant of a row: `session.user.tenant_id != tenant.id`."""
    column = way.rpartition(".")[2]
    for function in operation.functions:
        for site in function.facts.sites(ir.Compare):
            for node in walk(site.node):
                if isinstance(node, ir.Attribute) and node.attr in (column, column.removesuffix("_id")):
                    kinds = options(graph.program.inference.type_of(node.value, function))
                    if not any(isinstance(of, ClassRef) for of in kinds):  # else it is a condition of a query
                        return True
    return False
