"""Does a project mind how long its migrations lock tables that are in use?

Sizes of tables are not written down. Who builds an index concurrently, or says how long a migration may wait for a lock, has
tables and writers for which that matters.
"""

from __future__ import annotations

import re

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.source.lazy_pattern import lazy_pattern

_WAITS = lazy_pattern(r"\block_timeout\b", re.IGNORECASE)


@question
def minds_locks(graph: AppGraph) -> bool:
    """Some migration builds an index concurrently, or says how long it waits for a lock."""
    return any(
        operation.concurrently or (operation.sql is not None and _WAITS.search(operation.sql) is not None)
        for history in graph.migrations
        for revision in history.revisions
        for operation in revision.upgrades
    )
