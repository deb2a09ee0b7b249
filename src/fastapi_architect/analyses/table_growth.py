"""Which tables do not grow: nothing adds rows any more, or what has expired or is used up is deleted."""

from __future__ import annotations

import re
from typing import Any

from fastapi_architect.analyses.row_writes import models_of
from fastapi_architect.analyses.surroundings import nodes_in, nodes_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.concepts.database import QueryStart, SessionAdd, SessionDelete
from fastapi_architect.program.definitions import Class, Function, Module, all_functions, last_name
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import NODE_FIELDS

#: Calls that take a model and make no row of it.
_READS = frozenset(
    "select query get get_one exists count isinstance issubclass cast delete select_from outerjoin join aliased with_only_columns "  # noqa: SIM905
    "selectinload joinedload subqueryload of_type inspect".split()
)
#: Types of what a name holds; `Repository[Order]` is none of them, and may well add rows.
_HOLDS = frozenset({"list", "List", "Sequence", "Optional", "Mapped", "Select"})
#: Attributes that say until when a row is good.
_EXPIRY = lazy_pattern(r"expir|valid_until", re.IGNORECASE)


#: Rows that are good for one use.
_FOR_ONE_USE = lazy_pattern(
    r"token|invit|otp|verif|one_?time|(reset|activation|confirmation|login|recovery)_?(code|link|request)",
    re.IGNORECASE,
)
#: Modules that fill tables before anybody uses them.
_FILLS = lazy_pattern(r"(^|[/_])(seed\w*|fixtures?|migrations?|alembic|initial_data|init_db)([/_.]|$)")


def stopped_growing(model: Model, graph: AppGraph) -> bool:
    """Its rows are only read and deleted, or those that have expired, or were used, are removed."""
    return _is_swept(model, graph) or _is_used_up(model, graph) or _is_only_read(model, graph)


def _is_used_up(model: Model, graph: AppGraph) -> bool:
    """An invitation or a token that some code deletes: what is left are those that nobody has used yet."""
    if not _FOR_ONE_USE.search(model.name):
        return False
    for deleted in graph.facts(SessionDelete):
        scope = deleted.scope
        if scope.module.kind == "source" and any(
            each is model for each in models_of(deleted.instance, scope, graph)
        ):
            return True
    for start in graph.facts(QueryStart):
        function = start.function
        if function is None or function.module.kind != "source" or not _deletes(start):
            continue
        named = (each for entity in start.entities for each in models_of(entity, function, graph, cls=True))
        if any(each is model for each in named):
            return True
    return False


def _deletes(start: QueryStart) -> bool:
    """`delete(Token)`, or `query(Token)....delete()`."""
    return start.kind == "delete" or (
        start.kind == "query"
        and any(
            isinstance(node, ir.Call) and last_name(node.func) == "delete"
            for node in nodes_in([start.site.statement])
        )
    )


def _is_swept(model: Model, graph: AppGraph) -> bool:
    """`delete(Code).where(Code.expires_at < now)` stands somewhere, also as `delete(self.model)` for all models that expire."""
    if not _expires(model, graph):
        return False
    for start in graph.facts(QueryStart):
        function = start.function
        if start.kind != "delete" or function is None or function.module.kind != "source":
            continue
        named = [each for entity in start.entities for each in models_of(entity, function, graph, cls=True)]
        if (not named or any(each is model for each in named)) and any(
            isinstance(node, ir.Attribute) and _EXPIRY.search(node.attr)
            for node in nodes_in([start.site.statement])
        ):
            return True
    return False


def _expires(model: Model, graph: AppGraph) -> bool:
    """A column, or something that a mixin declares, holds the moment."""
    names = [column.attribute for column in model.columns]
    for each in graph.program.inference.hierarchy.order(model.cls):
        if isinstance(each.cls, Class):
            names += each.cls.methods
    return any(_EXPIRY.search(name) for name in names)


def _is_only_read(model: Model, graph: AppGraph) -> bool:
    """The application adds rows to others, and wherever it names this model it reads, compares or deletes.

    One that adds no rows at all is read from by itself, and filled by something else.
    """
    name = model.cls.name
    if not graph.facts(SessionAdd) or graph.program.inference.hierarchy.subclasses(model.cls):
        return False
    if any(_is_in_use(site.scope.module) for site in graph.program.call_sites_named(name)):
        return False  # `Order(...)`, the way most rows are made, without looking at every place
    mentions = 0
    for module in graph.program.mentioning(name):
        if not _is_in_use(module):
            continue
        bodies: list[Module | Function] = [module, *all_functions(module)]
        for scope in bodies:
            for parents, node in _named(scope, name):
                if not _makes_none(node, parents):
                    return False
                mentions += 1
    return mentions > 0


def _is_in_use(module: Module) -> bool:
    """Code of the application while it is used, not what fills its tables before."""
    return module.kind == "source" and not _FILLS.search(module.path)


def _named(scope: Module | Function, name: str) -> list[tuple[dict[int, Any], Any]]:
    """Places of a body that name the model; an import under another name counts as one that could do anything."""
    found: list[tuple[dict[int, Any], Any]] = []
    parents: dict[int, Any] = {}
    for node in nodes_of(scope):
        for field in NODE_FIELDS[node.__class__]:
            value = getattr(node, field)
            for child in value if isinstance(value, list) else (value,):
                parents[id(child)] = node
        if (isinstance(node, ir.Name) and node.id == name) or (
            isinstance(node, ir.Attribute) and node.attr == name
        ):
            found.append((parents, node))
        elif isinstance(node, ir.ImportFrom):
            found += [(parents, node) for each in node.names if each.name == name and each.asname]
    return found


def _makes_none(node: Any, parents: dict[int, Any]) -> bool:
    """`Order.total`, `select(Order)`, `list[Order]`: no call of the class, and nothing that hands it on."""
    parent = parents.get(id(node))
    if isinstance(parent, ir.Attribute):
        above = parents.get(id(parent))
        return not (isinstance(above, ir.Call) and above.func is parent)
    if isinstance(parent, ir.Call):
        return parent.func is not node and last_name(parent.func) in _READS
    if isinstance(parent, ir.Subscript):
        return parent.value is not node and last_name(parent.value) in _HOLDS
    if isinstance(parent, ir.BinOp):
        return parent.op == "|"  # `Order | None`
    if isinstance(parent, ir.FunctionDef):
        return parent.returns is node
    return isinstance(parent, ir.AnnAssign) and parent.annotation is node
