"""A rename that Alembic saw as "one column gone, one column new": the data is dropped.

Autogenerate compares names. A renamed attribute becomes `add_column` and `drop_column`, and with the old column go its values.

Known limits: that the two are one column is concluded from their types and names; a copy between them, in SQL or code, is
recognised when both names stand in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.migration_history import histories
from fastapi_architect.appgraph.column_types import ColumnType
from fastapi_architect.appgraph.migration_operations import Operation
from fastapi_architect.appgraph.migrations import Revision
from fastapi_architect.rules.kit import AppGraph, Confidence, Files, Finding, Proof, Rule, Severity, steps

rule = Rule(
    __name__,
    "A rename was generated as drop and add: the column's data is lost",
    severity=Severity.CRITICAL,
    cwe=664,
    references=(
        "https://alembic.sqlalchemy.org/en/latest/autogenerate.html#what-does-autogenerate-detect-and-what-does-it-not-detect",
    ),
    requires=("alembic", "sqlalchemy"),
)


@rule.check(per=Revision)
def column_dropped_and_added(revision: Revision, graph: AppGraph) -> Iterator[Finding]:
    dropped = [(p, o) for p, o in histories(graph).upgrades(revision, "drop_column") if o.columns]
    added = [o for _, o in histories(graph).upgrades(revision, "add_column") if o.column is not None]
    for place, drop in dropped:
        table = place.existing(drop.table)
        old = table.columns.get(drop.columns[0]) if table is not None else None
        if table is None or old is None:
            continue
        partners = [a for a in added if a.table == drop.table and _compatible(revision, old.type, a)]
        same_kind = [d for _, d in dropped if d.table == drop.table]
        if len(partners) != 1 or len(same_kind) != 1 or _copied(revision, old.name, partners[0]):
            continue
        new = partners[0].columns[0] if partners[0].columns else partners[0].column.name  # type: ignore[union-attr]
        yield rule.at(
            drop,
            f"`{table.name}.{old.name}` is dropped and `{new}` of the same type is added: the values of every row are lost.",
            f'Rename it:\n```python\nop.alter_column("{table.name}", "{old.name}", new_column_name="{new}")\n```\n'
            f'or copy before dropping:\n```python\nop.execute("UPDATE {table.name} SET {new} = {old.name}")\n```',
            reasoning="Nothing in this revision copies the values from one to the other.",
            exploit=f"A row of `{table.name}` with a value in `{old.name}` has none afterwards, neither there nor in `{new}`.",
            confidence=Confidence.FIRM,
            trace=steps((partners[0], f"{new} is added"), (drop, f"{old.name} is dropped")),
            symbol=f"{revision.module.name}.upgrade",
        )


def _compatible(revision: Revision, old: ColumnType | None, add: Operation) -> bool:
    column = add.column
    if column is None or column.type is None or old is None or column.foreign_keys:
        return False
    return (
        old.family == column.type.family
        and old.length == column.type.length
        and not _becomes_a_reference(revision, add)
    )


def _becomes_a_reference(revision: Revision, add: Operation) -> bool:
    """The new column is a foreign key, made in the same revision: it means something else."""
    name = add.column.name if add.column is not None else ""
    return any(
        o.kind == "create_foreign_key" and o.table == add.table and name in o.columns
        for o in revision.upgrades
    )


def _copied(revision: Revision, old: str, add: Operation) -> bool:
    """Some statement names both columns, or moves data by code that is not understood."""
    new = add.column.name if add.column is not None else ""
    for operation in revision.upgrades:
        if operation.changes_data or operation.kind in ("sql", "execute", "select"):
            text = operation.sql or ""
            if not text or (old in text and new in text):
                return True
    return False


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
            op.add_column("books", sa.Column("summary", sa.String(200), nullable=True))
            op.drop_column("books", "blurb")  # finding: autogenerated-rename-as-drop-add


        def downgrade() -> None:
            op.add_column("books", sa.Column("blurb", sa.String(200), nullable=True))
            op.drop_column("books", "summary")
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
            op.drop_column("books", "blurb")


        def downgrade() -> None:
            op.add_column("books", sa.Column("blurb", sa.String(200), nullable=True))
            op.execute("UPDATE books SET blurb = summary")
            op.drop_column("books", "summary")
    """,
    }
)


@rule.symptom
def the_text_of_every_book_is_gone(proof: Proof) -> None:
    """A book with a blurb has none, under either name, after the migration."""
    from sqlalchemy import create_engine, text

    url = "sqlite:///books.db"
    proof.migrate("migrations/versions/0001_books.py", url=url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO books (title, blurb) VALUES ('Momo', 'Time thieves')"))
    proof.migrate("migrations/versions/0002_change.py", url=url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT summary FROM books")).scalar_one() is None
