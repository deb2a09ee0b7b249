"""Which operations only a few people ask for: what they cost matters less than what everybody asks for."""

from __future__ import annotations

import re

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.security import AccessLevel
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: Guards that let no person in but a service with a key of its own.
_MACHINE = lazy_pattern(
    r"scim|api_?key|service|machine|internal|webhook|hmac|signature|cron|worker|agent_token|partner",
    re.IGNORECASE,
)
_ADMIN = frozenset({"admin", "admins", "administration", "administrators", "superadmin"})


def is_for_administrators(operation: PathOperation, graph: AppGraph) -> bool:
    """A guard lets administrators pass only, or the path says that it is theirs."""
    if graph.access(operation).level is AccessLevel.ADMIN:
        return True
    return not _ADMIN.isdisjoint(operation.path.lower().split("/"))


def is_for_machines(operation: PathOperation, graph: AppGraph) -> bool:
    """A guard lets a service with a key of its own in, by the guard's name: nobody in particular is signed in."""
    for guard in graph.access(operation).guards:
        if guard.level is AccessLevel.USER and _MACHINE.search(guard.name.rpartition(".")[2]):
            below = guard.dependency.dependencies if guard.dependency is not None else ()
            people = [e for e in below if graph.guards.of_dependency(e) and not graph.guards.is_scheme(e)]
            if not people:  # else a service that is given the user
                return True
    return False
