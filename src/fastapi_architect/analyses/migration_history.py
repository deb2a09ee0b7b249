"""Migrations as a reviewer reads them: what each revision finds, what it leaves, and which may still have to run."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.migration_operations import Operation
from fastapi_architect.appgraph.migrations import MigrationHistory, Revision
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.schema_replay import SchemaState, TableState, Timeline, replay

#: Revisions this near to a head may still have to run somewhere; older ones have run, and nothing is gained by blaming them.
RECENT = 10
_OTHER_DATABASES = frozenset({"sqlite", "sqlite3", "mysql", "mariadb", "oracle", "mssql"})


class RevisionInHistory(msgspec.Struct, frozen=True, eq=False):
    """One revision with the schema before and behind it.

    Attributes:
        revision: the revision.
        history: its history.
        before: schema that it finds.
        after: schema that it leaves.
        recent: it lies among the last revisions before a head.
    """

    revision: Revision
    history: MigrationHistory
    before: SchemaState
    after: SchemaState
    recent: bool

    def existing(self, table: str | None) -> TableState | None:
        """A table that stood there, with rows as a rule, before this revision."""
        return self.before.table(table)

    @property
    def runs_in_transaction(self) -> bool:
        """Statements of a revision run in one transaction unless they ask for autocommit."""
        environment = self.history.environment
        return environment is None or environment.transactional_ddl


class Histories:
    """Every revision of a graph in its history."""

    def __init__(self, graph: AppGraph) -> None:
        self._by_path: dict[str, RevisionInHistory] = {}
        self._timelines: dict[int, Timeline] = {}
        for history in graph.migrations:
            timeline = replay(history.revisions)
            self._timelines[id(history)] = timeline
            recent = _recent(history)
            for step in timeline.steps:
                self._by_path[step.revision.path] = RevisionInHistory(
                    step.revision, history, step.before, step.after, step.revision.id in recent
                )

    def of(self, revision: Revision) -> RevisionInHistory | None:
        """A revision in its history, on a cycle behind all others; None when it is of another graph."""
        return self._by_path.get(revision.path)

    def head(self, history: MigrationHistory) -> SchemaState:
        """Schema that all revisions of a history together make."""
        return self._timelines[id(history)].head

    def upgrades(self, revision: Revision, *kinds: str) -> Iterator[tuple[RevisionInHistory, Operation]]:
        """Operations of a recent revision's `upgrade`, of some kinds."""
        place = self.of(revision)
        if place is not None and place.recent:
            for operation in revision.upgrades:
                if operation.kind in kinds:
                    yield place, operation


def _recent(history: MigrationHistory) -> set[str]:
    found: dict[str, int] = dict.fromkeys(history.heads, 0)
    queue = list(history.heads)
    while queue:
        current = queue.pop(0)
        revision = history.by_id.get(current)
        if revision is None or found[current] + 1 >= RECENT:
            continue
        for parent in revision.down:
            if parent not in found:
                found[parent] = found[current] + 1
                queue.append(parent)
    return set(found)


def is_for_another_database(revision: Revision) -> bool:
    """Its folder is named after a database that is not PostgreSQL: `versions/sqlite/` beside `versions/postgresql/`."""
    return not _OTHER_DATABASES.isdisjoint(revision.module.path.lower().split("/")[:-1])


@question
def histories(graph: AppGraph) -> Histories:
    """The replayed histories of a graph; once for each graph."""
    return Histories(graph)
