"""Does something outside a call limit how long it may wait: `asyncio.timeout`, `wait_for`,
`anyio.fail_after`?
"""

from __future__ import annotations

from fastapi_architect.analyses.callers import calls_inside
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.concurrency import Timeout
from fastapi_architect.program.facts import Site

#: Blocks that limit the time spent in them.
_BLOCKS = frozenset(
    {"timeout", "timeout_at", "fail_after", "move_on_after", "fail_at", "move_on_at", "time_limit", "Timeout"}
)


def is_limited(site: Site, graph: AppGraph) -> bool:
    """An asynchronous call at `site` ends after a time that is written around it."""
    for limit in graph.within(Timeout, site.scope):
        if any(node is site.node for node in calls_inside(limit.awaited)):
            return True
    for context in site.context:
        if context.role == "with":
            for item in getattr(context.node, "items", ()):
                func = getattr(item.context, "func", None)
                if getattr(func, "attr", getattr(func, "id", "")) in _BLOCKS:
                    return True
    return False
