"""A NOT NULL column without a server default is added to a table that has rows.

The database has nothing to put into the rows that are there: the statement fails and the deployment stops. A `default=` of
SQLAlchemy does not help, because it is used by Python only.

Known limits: an empty table would take the column; how many rows a table has is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.migration_history import histories
from fastapi_architect.appgraph.migrations import Revision
from fastapi_architect.rules.kit import AppGraph, Confidence, Files, Finding, Proof, Rule, Severity

rule = Rule(
    __name__,
    "A NOT NULL column without default is added to a table with rows",
    severity=Severity.CRITICAL,
    references=(
        "https://www.postgresql.org/docs/current/sql-altertable.html",
        "https://alembic.sqlalchemy.org/en/latest/ops.html#alembic.operations.Operations.add_column",
    ),
    requires=("alembic", "sqlalchemy"),
)


@rule.check(per=Revision)
def not_null_without_server_default(revision: Revision, graph: AppGraph) -> Iterator[Finding]:
    for place, operation in histories(graph).upgrades(revision, "add_column"):
        column, table = operation.column, place.existing(operation.table)
        if column is None or table is None or operation.conditional:
            continue
        if (
            column.nullable is not False
            or column.server_default is not None
            or column.primary_key
            or column.generated
        ):
            continue
        kind = column.type.written if column.type is not None else "..."
        python_only = " Its `default=` is used by Python only." if column.default is not None else ""
        yield rule.at(
            operation,
            f"`{table.name}.{column.name}` is added NOT NULL and without a server default: the statement fails as soon as "
            f"`{table.name}` has a row.",
            "Add it nullable, fill it in batches, then forbid NULL:\n```python\n"
            f'op.add_column("{table.name}", sa.Column("{column.name}", {kind}, nullable=True))\n'
            f'op.execute(sa.text("UPDATE {table.name} SET {column.name} = :value").bindparams(value=...))\n'
            f'op.alter_column("{table.name}", "{column.name}", nullable=False)\n```\nor give it a constant `server_default`.',
            reasoning=f"`{table.name}` exists since revision {table.since or 'the first'}.{python_only}",
            exploit=f"With one row in `{table.name}` the revision raises, and `{column.name}` is not added.",
            confidence=Confidence.CERTAIN,
            symbol=f"{revision.module.name}.upgrade",
        )


_FIRST = """
    import sqlalchemy as sa
    from alembic import op

    revision = "0001"
    down_revision = None


    def upgrade() -> None:
        op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True), sa.Column("total", sa.Integer))


    def downgrade() -> None:
        op.drop_table("orders")
"""

rule.bad = Files(
    {
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_orders.py": _FIRST,
        "migrations/versions/0002_currency.py": """
        import sqlalchemy as sa
        from alembic import op

        revision = "0002"
        down_revision = "0001"


        def upgrade() -> None:
            op.add_column("orders", sa.Column("currency", sa.String(3), nullable=False))  # finding: not-null-column-without-default


        def downgrade() -> None:
            op.drop_column("orders", "currency")
    """,
    }
)

rule.good = Files(
    {
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_orders.py": _FIRST,
        "migrations/versions/0002_currency.py": """
        import sqlalchemy as sa
        from alembic import op

        revision = "0002"
        down_revision = "0001"


        def upgrade() -> None:
            op.add_column("orders", sa.Column("currency", sa.String(3), nullable=False, server_default="EUR"))


        def downgrade() -> None:
            op.drop_column("orders", "currency")
    """,
    }
)


@rule.symptom
def the_migration_fails_on_a_table_with_rows(proof: Proof) -> None:
    """With one order in the table the revision raises, and no column is added."""
    from sqlalchemy import create_engine, text

    url = "sqlite:///orders.db"
    proof.migrate("migrations/versions/0001_orders.py", url=url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO orders (total) VALUES (1)"))
    refused = ""
    try:
        proof.migrate("migrations/versions/0002_currency.py", url=url)
    except Exception as error:
        refused = str(error)
    assert "NOT NULL" in refused
