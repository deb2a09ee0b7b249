"""Alembic cannot tell in which order the revisions run.

Two heads (two branches added a revision to the same parent), a parent that does not exist, an identifier used twice, or a
cycle: `alembic upgrade head` stops with an error, in the deployment and not before.

Known limits: branches that carry `branch_labels` are taken to be independent on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.appgraph.migrations import MigrationHistory, Revision
from fastapi_architect.rules.kit import AppGraph, Confidence, Files, Finding, Proof, Rule, Severity, steps

rule = Rule(
    __name__,
    "The revisions do not form one line: `alembic upgrade head` stops",
    severity=Severity.CRITICAL,
    references=("https://alembic.sqlalchemy.org/en/latest/branches.html",),
    requires=("alembic", "sqlalchemy"),
)


@rule.check(per=MigrationHistory)
def revisions_without_an_order(history: MigrationHistory, _graph: AppGraph) -> Iterator[Finding]:
    for revision, parent in history.missing:
        yield _finding(
            revision,
            f"Revision {revision.id} follows {parent}, and no file has that identifier: Alembic refuses every command.",
            f"Name a revision that exists{_nearest(history, revision)}, or bring the missing file back.",
        )
    for identifier, revisions in history.duplicates:
        for revision in revisions[1:]:
            yield _finding(
                revision,
                f"Revision {identifier} is defined twice ({revisions[0].path}): which of the two runs is undefined.",
                "Give one of them an identifier of its own and let the next revision follow it.",
            )
    if history.cycles:
        first = history.by_id[history.cycles[0]]
        listed = " -> ".join(history.cycles)
        yield _finding(
            first,
            f"Revisions follow each other in a circle: {listed}.",
            "Let the oldest have `down_revision = None`.",
        )
    yield from _several_heads(history)


def _several_heads(history: MigrationHistory) -> Iterator[Finding]:
    heads = [history.by_id[h] for h in history.heads if h in history.by_id]
    if len(heads) < 2 or any(r.branch_labels for r in history.revisions):
        return
    last = heads[-1]
    names = ", ".join(head.id for head in heads)
    quoted = ", ".join(f'"{head.id}"' for head in heads)
    yield rule.at(
        last,
        f'There are {len(heads)} heads ({names}): `alembic upgrade head` stops with "Multiple head revisions are present".',
        f"Join them: `alembic merge -m merge {' '.join(head.id for head in heads)}` writes\n```python\n"
        f'revision = "..."\ndown_revision = ({quoted})\n```',
        reasoning="No revision names them as its parents and none carries a branch label.",
        exploit=f"`alembic upgrade head` with {names} raises instead of running.",
        confidence=Confidence.CERTAIN,
        trace=steps(*((head, f"{head.id} is a head") for head in heads)),
    )


def _finding(revision: Revision, issue: str, suggestion: str) -> Finding:
    return rule.at(
        revision,
        issue,
        suggestion,
        exploit=f"`alembic upgrade head` raises at {revision.id} instead of running.",
        confidence=Confidence.CERTAIN,
    )


def _nearest(history: MigrationHistory, revision: Revision) -> str:
    others = [r.id for r in history.revisions if r.id != revision.id]
    return f" (the last one is {others[-1]})" if others else ""


_ENVIRONMENT = """
    from alembic import context

    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()
"""


def _revision(identifier: str, parent: str, mark: str = "") -> str:
    return f"""
        revision = {identifier!r}{mark}
        down_revision = {parent}


        def upgrade() -> None:
            pass


        def downgrade() -> None:
            pass
    """


rule.bad = Files(
    {
        "migrations/env.py": _ENVIRONMENT,
        "migrations/versions/a1.py": _revision("a1", "None"),
        "migrations/versions/b1.py": _revision("b1", "'a1'"),
        "migrations/versions/b2.py": _revision("b2", "'a1'", "  # finding: migration-graph-broken"),
    }
)

rule.good = Files(
    {
        "migrations/env.py": _ENVIRONMENT,
        "migrations/versions/a1.py": _revision("a1", "None"),
        "migrations/versions/b1.py": _revision("b1", "'a1'"),
        "migrations/versions/b2.py": _revision("b2", "'b1'"),
    }
)


@rule.symptom
def alembic_refuses_to_upgrade(proof: Proof) -> None:
    """`alembic upgrade head` raises instead of running."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(proof.root / "migrations"))
    refused = ""
    try:
        ScriptDirectory.from_config(config).get_revision("head")
    except Exception as error:
        refused = str(error)
    assert "heads" in refused
