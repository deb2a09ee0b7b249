"""A migration that cannot be taken back.

When a deployment goes wrong, `alembic downgrade` is expected to restore the schema. An empty `downgrade()` answers "done" and
leaves everything as it is: the version table and the schema disagree from then on.

Known limits: a `downgrade()` that raises is taken as a decision; one that is written is not compared step by step.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.migration_history import histories
from fastapi_architect.appgraph.migration_operations import Operation
from fastapi_architect.appgraph.migrations import Revision
from fastapi_architect.rules.kit import AppGraph, Confidence, Files, Finding, Proof, Rule, Severity

rule = Rule(
    __name__,
    "A schema change has no way back",
    severity=Severity.MINOR,
    references=("https://alembic.sqlalchemy.org/en/latest/tutorial.html#downgrading",),
    requires=("alembic", "sqlalchemy"),
)

_INVERSES = {
    "create_table": "drop_table",
    "add_column": "drop_column",
    "create_index": "drop_index",
    "create_unique_constraint": "drop_constraint",
    "create_foreign_key": "drop_constraint",
    "create_check_constraint": "drop_constraint",
}


@rule.check(per=Revision)
def schema_change_without_downgrade(revision: Revision, graph: AppGraph) -> Iterator[Finding]:
    place = histories(graph).of(revision)
    changes = [o for o in revision.upgrades if o.changes_schema]
    if place is None or not place.recent or revision.is_merge or not changes:
        return
    if revision.downgrade_kind not in ("absent", "empty"):
        return
    where = revision.downgrade or revision.upgrade
    if where is None:
        return
    state = "is empty" if revision.downgrade_kind == "empty" else "is missing"
    yield rule.at(
        where,
        f"Revision {revision.id} changes the schema ({_listed(changes)}), and its `downgrade()` {state}: Alembic reports success "
        "and changes nothing.",
        f"Undo what `upgrade()` does, in reverse order:\n```python\ndef downgrade() -> None:\n{_undone(changes)}\n```\n"
        "or raise with the reason why there is no way back.",
        reasoning="The version table moves back while the schema stays, so the next upgrade fails.",
        exploit=f"`alembic downgrade` from {revision.id} reports success, and nothing of it is undone: {_listed(changes)}.",
        confidence=Confidence.CERTAIN,
    )


def _listed(changes: list[Operation]) -> str:
    names = [f"{o.kind} {o.table or o.name or ''}".strip() for o in changes]
    return ", ".join(dict.fromkeys(names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _undone(changes: list[Operation]) -> str:
    lines = []
    for each in reversed(changes[:6]):
        kind = _INVERSES.get(each.kind)
        if kind == "drop_table":
            lines.append(f'    op.drop_table("{each.table}")')
        elif kind == "drop_column" and each.column is not None:
            lines.append(f'    op.drop_column("{each.table}", "{each.column.name}")')
        elif kind == "drop_index":
            lines.append(f'    op.drop_index("{each.name}", table_name="{each.table}")')
        elif kind == "drop_constraint":
            lines.append(f'    op.drop_constraint("{each.name}", "{each.table}")')
    return "\n".join(lines) or '    raise NotImplementedError("this revision cannot be undone: say why")'


rule.bad = Files(
    {
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_books.py": """
        import sqlalchemy as sa
        from alembic import op

        revision = "0001"
        down_revision = None


        def upgrade() -> None:
            op.create_table("books", sa.Column("id", sa.Integer, primary_key=True))


        def downgrade() -> None:  # finding: irreversible-or-empty-downgrade
            pass
    """,
    }
)

rule.good = Files(
    {
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001_books.py": """
        import sqlalchemy as sa
        from alembic import op

        revision = "0001"
        down_revision = None


        def upgrade() -> None:
            op.create_table("books", sa.Column("id", sa.Integer, primary_key=True))


        def downgrade() -> None:
            op.drop_table("books")
    """,
    }
)


@rule.symptom
def the_table_is_still_there(proof: Proof) -> None:
    """After upgrade and downgrade the table that was created is still there."""
    from sqlalchemy import create_engine, inspect

    url = "sqlite:///books.db"
    proof.migrate("migrations/versions/0001_books.py", url=url)
    proof.migrate("migrations/versions/0001_books.py", url=url, direction="downgrade")
    assert "books" in inspect(create_engine(url)).get_table_names()
