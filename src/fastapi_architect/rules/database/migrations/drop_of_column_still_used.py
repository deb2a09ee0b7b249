"""A column or table is dropped that the code still reads.

The model names the column, so every query that loads the model asks for it, and fails from the moment the migration commits.

Known limits: raw SQL is searched for "table ... column" in constants only; what a release before this one still uses is not
known, so drop in a release after the one that stops using it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.migration_history import histories
from fastapi_architect.appgraph.migration_operations import Operation
from fastapi_architect.appgraph.migrations import Revision
from fastapi_architect.appgraph.sql_statements import names_in_sql
from fastapi_architect.concepts.database import SqlText
from fastapi_architect.rules.kit import AppGraph, Confidence, Files, Finding, Proof, Rule, Severity, steps

rule = Rule(
    __name__,
    "A migration drops a column or table that the code still uses",
    severity=Severity.CRITICAL,
    references=(
        "https://martinfowler.com/bliki/ParallelChange.html",
        "https://alembic.sqlalchemy.org/en/latest/ops.html#alembic.operations.Operations.drop_column",
    ),
    requires=("alembic", "sqlalchemy"),
)


@rule.check(per=Revision)
def dropped_and_still_mapped(revision: Revision, graph: AppGraph) -> Iterator[Finding]:
    place = histories(graph).of(revision)
    if place is None:
        return
    head = histories(graph).head(place.history)
    for operation in revision.upgrades:
        if operation.kind not in ("drop_column", "drop_table") or operation.conditional:
            continue
        before = place.existing(operation.table)
        now = head.table(operation.table)
        if before is None or head.opaque or (now is not None and now.opaque):
            continue
        column = operation.columns[0] if operation.kind == "drop_column" and operation.columns else ""
        if (now is not None and not column) or (now is not None and column in now.columns):
            continue  # a later revision brings it back
        yield from _named_in_sql(revision, operation, before.name, column, graph)
        for model in graph.models:
            if model.table.name != before.name.rpartition(".")[2] or not model.is_complete:
                continue
            used = model.table.by_name.get(column) if column else None
            if column and used is None:
                continue
            what = f"{before.name}.{column}" if column else before.name
            there = used.location if used is not None else model.location
            yield rule.at(
                operation,
                f"`{what}` is dropped, and `{model.name}` ({there}) still maps it: every query of `{model.name}` fails afterwards.",
                f"Remove it from `{model.name}` and release that first; drop it in a later revision:\n```python\n"
                f'op.drop_{"column" if column else "table"}("{operation.table}"{f", {column!r}" if column else ""})'
                "  # only after the release that no longer reads it\n```",
                reasoning="No later revision brings it back, and the model selects every mapped column by default.",
                exploit=f"After the migration, selecting `{model.name}` is an error: there is no `{what}`.",
                confidence=Confidence.CERTAIN,
                trace=steps((operation, f"{what} is dropped"), (there, f"{model.name} maps it")),
                symbol=f"{revision.module.name}.upgrade",
            )


def _named_in_sql(
    revision: Revision, operation: Operation, table: str, column: str, graph: AppGraph
) -> Iterator[Finding]:
    """Statements written as text that name what is dropped."""
    bare = table.rpartition(".")[2]
    for sql in graph.facts(SqlText):
        if sql.scope.module.kind != "source":
            continue
        statement = graph.program.constants.string(sql.text, sql.scope)
        if statement is None or not names_in_sql(statement, bare, column):
            continue
        what = f"{table}.{column}" if column else table
        yield rule.at(
            operation,
            f"`{what}` is dropped, and the statement at {sql.location} still names it: it fails afterwards.",
            f"Change the statement and release that first; drop it in a later revision:\n```python\n"
            f'op.drop_{"column" if column else "table"}("{operation.table}"{f", {column!r}" if column else ""})\n```',
            reasoning="No later revision brings it back.",
            exploit=f"After the migration, the statement at {sql.location} is an error: there is no `{what}`.",
            confidence=Confidence.FIRM,
            trace=steps((operation, f"{what} is dropped"), (sql, "the statement names it")),
            symbol=f"{revision.module.name}.upgrade",
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
            sa.Column("title", sa.String(200), nullable=False),
            sa.Column("blurb", sa.String(200)),
        )


    def downgrade() -> None:
        op.drop_table("books")
"""

rule.bad = Files(
    {
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_books.py": _FIRST,
        "migrations/versions/0002_drop.py": """
        import sqlalchemy as sa
        from alembic import op

        revision = "0002"
        down_revision = "0001"


        def upgrade() -> None:
            op.drop_column("books", "blurb")  # finding: drop-of-column-still-used


        def downgrade() -> None:
            op.add_column("books", sa.Column("blurb", sa.String(200), nullable=True))
    """,
        "models.py": """
        from sqlalchemy import String
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


        class Base(DeclarativeBase):
            pass


        class Book(Base):
            __tablename__ = "books"

            id: Mapped[int] = mapped_column(primary_key=True)
            title: Mapped[str] = mapped_column(String(200))
            blurb: Mapped[str | None] = mapped_column(String(200))
    """,
    }
)

rule.good = Files(
    {
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_books.py": _FIRST,
        "migrations/versions/0002_drop.py": """
        import sqlalchemy as sa
        from alembic import op

        revision = "0002"
        down_revision = "0001"


        def upgrade() -> None:
            op.drop_column("books", "blurb")


        def downgrade() -> None:
            op.add_column("books", sa.Column("blurb", sa.String(200), nullable=True))
    """,
        "models.py": """
        from sqlalchemy import String
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


        class Base(DeclarativeBase):
            pass


        class Book(Base):
            __tablename__ = "books"

            id: Mapped[int] = mapped_column(primary_key=True)
            title: Mapped[str] = mapped_column(String(200))
    """,
    }
)


@rule.symptom
def every_query_of_the_model_fails(proof: Proof) -> None:
    """After the migration, selecting books is an error: there is no such column."""
    from sqlalchemy import create_engine, select

    url = "sqlite:///books.db"
    proof.migrate("migrations/versions/0001_books.py", url=url)
    proof.migrate("migrations/versions/0002_drop.py", url=url)
    book = proof.module("models").Book
    failed = ""
    with create_engine(url).connect() as connection:
        try:
            connection.execute(select(book))
        except Exception as error:
            failed = str(error)
    assert "no such column" in failed
