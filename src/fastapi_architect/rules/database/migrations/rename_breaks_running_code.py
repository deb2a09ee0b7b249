"""A column or table is renamed while the running release still uses the old name.

During a rolling deployment old and new code run side by side against one schema. The moment the rename commits, every query
of the old release fails; a roll-back of the code fails in the same way.

Known limits: a declared maintenance window is not known. It is tentative unless something shows that the old release serves on:
several copies of the server are declared, or other migrations mind those who use the tables meanwhile (an index built
concurrently, a `lock_timeout`). A table created by the same revision is left out, as are revisions that lie more than ten
before the head.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.lock_care import minds_locks
from fastapi_architect.analyses.migration_history import histories
from fastapi_architect.analyses.releases import one_release_at_a_time, runs_several_copies
from fastapi_architect.appgraph.migration_operations import Operation
from fastapi_architect.appgraph.migrations import Revision
from fastapi_architect.appgraph.schema_replay import TableState
from fastapi_architect.rules.kit import AppGraph, Confidence, Files, Finding, Proof, Rule, Severity

rule = Rule(
    __name__,
    "A rename breaks the release that is still running",
    severity=Severity.CRITICAL,
    references=(
        "https://martinfowler.com/bliki/ParallelChange.html",
        "https://alembic.sqlalchemy.org/en/latest/ops.html#alembic.operations.Operations.alter_column",
    ),
    requires=("alembic", "sqlalchemy"),
)


@rule.check(per=Revision)
def rename_of_what_is_in_use(revision: Revision, graph: AppGraph) -> Iterator[Finding]:
    for place, operation in histories(graph).upgrades(revision, "alter_column", "rename_table"):
        table = place.existing(operation.table)
        names = _names(operation)
        if table is None or names is None or operation.conditional:
            continue
        old, new = names
        if _keeps_the_old_name(revision, old):
            continue
        yield rule.at(
            operation,
            f"`{old}` becomes `{new}` in one step: queries of the release that is still running name `{old}` and fail.",
            f"Expand, move, contract: add `{new}` beside it, write both, copy, and drop `{old}` in a later release:\n"
            f"```python\n{_expanded(operation, old, new, table)}\n```",
            reasoning=f"`{table.name}` exists since revision {table.since or 'the first'}; nothing in this revision keeps "
            f"`{old}` readable.",
            exploit=f"The migration is through, the old release still serves, and each of its queries that names `{old}` is an error.",
            confidence=Confidence.FIRM if _meets_the_old_release(graph) else Confidence.TENTATIVE,
            symbol=f"{revision.module.name}.upgrade",
        )


def _meets_the_old_release(graph: AppGraph) -> bool:
    """Something shows that the old release serves on: several copies, or migrations that are written with care for it."""
    return not one_release_at_a_time(graph) and (runs_several_copies(graph) or minds_locks(graph))


def _names(operation: Operation) -> tuple[str, str] | None:
    """Old and new name of what is renamed; None when nothing is."""
    if operation.kind == "rename_table":
        return (operation.table, operation.name) if operation.table and operation.name else None
    new = operation.alteration.new_name if operation.alteration is not None else None
    return (operation.columns[0], new) if new and operation.columns and new != operation.columns[0] else None


def _keeps_the_old_name(revision: Revision, old: str) -> bool:
    """A view or column of the old name is made in the same revision."""
    for operation in revision.upgrades:
        if (
            operation.kind in ("sql", "execute")
            and operation.sql
            and "view" in operation.sql.lower()
            and old in operation.sql
        ):
            return True
        if operation.kind == "add_column" and operation.column is not None and operation.column.name == old:
            return True
    return False


def _expanded(operation: Operation, old: str, new: str, table: TableState) -> str:
    if operation.kind == "rename_table":
        return f'op.rename_table("{old}", "{new}")\nop.execute("CREATE VIEW {old} AS SELECT * FROM {new}")'
    column = table.columns.get(old)
    kind = column.type.written if column is not None and column.type is not None else "..."
    return (
        f'op.add_column("{operation.table}", sa.Column("{new}", {kind}, nullable=True))\n'
        f'op.execute("UPDATE {operation.table} SET {new} = {old}")'
    )


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
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_books.py": _FIRST,
        "migrations/versions/0002_change.py": """
        import sqlalchemy as sa
        from alembic import op

        revision = "0002"
        down_revision = "0001"


        def upgrade() -> None:
            op.alter_column("books", "blurb", new_column_name="summary")  # finding: rename-breaks-running-code


        def downgrade() -> None:
            op.alter_column("books", "summary", new_column_name="blurb")
    """,
    }
)

rule.good = Files(
    {
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_books.py": _FIRST,
        "migrations/versions/0002_change.py": """
        import sqlalchemy as sa
        from alembic import op

        revision = "0002"
        down_revision = "0001"


        def upgrade() -> None:
            op.add_column("books", sa.Column("summary", sa.String(200), nullable=True))
            op.execute("UPDATE books SET summary = blurb")


        def downgrade() -> None:
            op.drop_column("books", "summary")
    """,
    }
)


@rule.symptom
def the_running_release_fails(proof: Proof) -> None:
    """After the migration, the query that the old release sends is an error."""
    from sqlalchemy import create_engine, text

    url = "sqlite:///books.db"
    proof.migrate("migrations/versions/0001_books.py", url=url)
    proof.migrate("migrations/versions/0002_change.py", url=url)
    failed = ""
    with create_engine(url).connect() as connection:
        try:
            connection.execute(text("SELECT id, title, blurb FROM books"))
        except Exception as error:
            failed = str(error)
    assert "no such column" in failed
