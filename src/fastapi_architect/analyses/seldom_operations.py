"""Which operations only a few people ask for: what they cost matters less than what everybody asks for."""

from __future__ import annotations

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.security import AccessLevel

_ADMIN = frozenset({"admin", "administration", "superadmin"})


def is_for_administrators(operation: PathOperation, graph: AppGraph) -> bool:
    """A guard lets administrators pass only, or the path says that it is theirs."""
    if graph.access(operation).level is AccessLevel.ADMIN:
        return True
    return not _ADMIN.isdisjoint(operation.path.lower().split("/"))
