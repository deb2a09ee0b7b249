"""When does the code behind a dependency's `yield` run: before background tasks do, or after them?

Measured on FastAPI itself: up to 0.105 and from 0.118 on after the background tasks, in between before the response is
sent; with `scope="function"` (0.121) before the response, too.
"""

from __future__ import annotations

from packaging.version import Version

from fastapi_architect.appgraph.graph import AppGraph

_EARLY_FROM, _EARLY_BEFORE = Version("0.106"), Version("0.118")


def ends_before_tasks(graph: AppGraph, lifetime: str = "") -> bool:
    """What a dependency yields is over when background tasks begin.

    Args:
        graph: the backend, which says the version of FastAPI; a mere lower bound is taken for the newest.
        lifetime: the dependency's `scope=`, "" when none is given.
    """
    return lifetime == "function" or early_exit(graph) is not None


def early_exit(graph: AppGraph) -> Version | None:
    """The installed version of FastAPI when it is one that leaves dependencies before it sends the response."""
    found = graph.deployment.version_of("fastapi")
    if found is None or not found.is_exact or not _EARLY_FROM <= found.version < _EARLY_BEFORE:
        return None
    return found.version
