"""The tables of findings, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from fastapi_architect.components.tenancy import protect_by_tenant, unprotect_by_tenant

from ..columns import identified, moment, of_project, tenant
from .words import FINDINGS_WITH_WORDS, WORDS_OF_PLACE

_OF_WORDS = "ix_findings_in_branches_words"
_TABLES = ("finding_events", "findings_in_branches", "findings")


def create_findings(op: Any) -> None:
    """Create the tables, visible to their organisation only.

    Args:
        op: `alembic.op`.
    """
    op.create_table(
        "findings",
        *identified(),
        tenant("findings"),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(200), nullable=False),
        sa.Column("rule", sa.String(200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("category", sa.String(60), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.String(20), nullable=False),
        sa.Column("cwe", sa.String(20), nullable=True),
        sa.Column("cvss_score", sa.Numeric(3, 1), nullable=True),
        sa.Column("triage", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("expires_at", moment(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("triaged_by", sa.Uuid(), nullable=True),
        sa.Column("triaged_at", moment(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_findings_tenant_id_id"),
        sa.CheckConstraint(
            "triage IN ('open', 'confirmed', 'false_positive', 'accepted')", name="ck_findings_triage_known"
        ),
        sa.CheckConstraint(
            "triage <> 'accepted' OR (reason IS NOT NULL AND expires_at IS NOT NULL AND approved_by IS NOT NULL)",
            name="ck_findings_accepted_says_why_and_how_long",
        ),
        of_project("findings"),
    )
    op.create_index("ix_findings_tenant_id", "findings", ["tenant_id"])
    op.create_index(
        "ix_findings_project_id_severity_rank_id", "findings", ["project_id", "severity_rank", "id"]
    )
    op.create_index("ix_findings_project_id_created_at_id", "findings", ["project_id", "created_at", "id"])
    op.create_index("ix_findings_project_id_rule", "findings", ["project_id", "rule"])
    op.create_table(
        "findings_in_branches",
        *identified(),
        tenant("findings_in_branches"),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column("presence", sa.String(20), nullable=False),
        sa.Column("first_scan_id", sa.Uuid(), nullable=False),
        sa.Column("last_scan_id", sa.Uuid(), nullable=False),
        sa.Column("fixed_scan_id", sa.Uuid(), nullable=True),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("is_proposed_ignored", sa.Boolean(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_findings_in_branches"),
        sa.UniqueConstraint("branch_id", "finding_id", name="uq_findings_in_branches_branch_id_finding_id"),
        sa.CheckConstraint(
            "presence IN ('open', 'fixed', 'reopened')", name="ck_findings_in_branches_presence_known"
        ),
        _of_finding("findings_in_branches"),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branches.id"],
            ondelete="CASCADE",
            name="fk_findings_in_branches_branch_id_branches",
        ),
    )
    op.create_index("ix_findings_in_branches_tenant_id", "findings_in_branches", ["tenant_id"])
    op.create_index("ix_findings_in_branches_finding_id", "findings_in_branches", ["finding_id"])
    op.create_index(
        "ix_findings_in_branches_branch_id_presence", "findings_in_branches", ["branch_id", "presence"]
    )
    op.create_table(
        "finding_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        tenant("finding_events"),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("at", moment(), server_default=sa.func.now(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("scan_id", sa.Uuid(), nullable=True),
        sa.Column("details", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_finding_events"),
        _of_finding("finding_events"),
    )
    op.create_index("ix_finding_events_tenant_id", "finding_events", ["tenant_id"])
    op.create_index("ix_finding_events_finding_id_id", "finding_events", ["finding_id", "id"])
    for table in _TABLES:
        protect_by_tenant(op, table)


def add_roots_of_places(op: Any) -> None:
    """Let each branch have a finding in a folder of its own.

    Workers that do not know the column yet go on: they leave it at its default, and the next scan says it.

    Args:
        op: `alembic.op`.
    """
    op.add_column("findings_in_branches", sa.Column("root", sa.Text(), server_default="", nullable=False))
    op.execute(
        "UPDATE findings_in_branches AS place SET root = finding.root FROM findings AS finding"
        " WHERE finding.id = place.finding_id AND finding.root <> ''"
    )


def drop_roots_of_places(op: Any) -> None:
    """Take that back."""
    op.drop_column("findings_in_branches", "root")


def add_index_of_acceptances(op: Any) -> None:
    """Let what is accepted be found by the moment at which that ends. Scans go on meanwhile.

    Args:
        op: `alembic.op`.
    """
    with op.get_context().autocommit_block():
        # One whose building was cut off is there and of no use.
        op.drop_index(
            "ix_findings_tenant_id_expires_at", "findings", postgresql_concurrently=True, if_exists=True
        )
        op.create_index(
            "ix_findings_tenant_id_expires_at",
            "findings",
            ["tenant_id", "expires_at"],
            postgresql_where=sa.text("triage = 'accepted'"),
            postgresql_concurrently=True,
        )


def drop_index_of_acceptances(op: Any) -> None:
    """Drop it."""
    op.drop_index("ix_findings_tenant_id_expires_at", "findings")


def add_sources(op: Any) -> None:
    """Let findings say who found them; those that are there are the engine's.

    Args:
        op: `alembic.op`.
    """
    source = sa.Column("source", sa.String(200), server_default="engine", nullable=False)
    op.add_column("findings", source, if_not_exists=True)
    # Concurrently, because scans go on; the block commits what is above, which therefore has to be repeatable.
    with op.get_context().autocommit_block():
        name = "ix_findings_project_id_source"
        # One whose building was cut off is there and of no use.
        op.drop_index(name, "findings", postgresql_concurrently=True, if_exists=True)
        op.create_index(name, "findings", ["project_id", "source"], postgresql_concurrently=True)


def drop_sources(op: Any) -> None:
    """Take that back; the index goes with its column."""
    op.drop_column("findings", "source")


def drop_findings(op: Any) -> None:
    """Drop the tables."""
    for table in _TABLES:
        unprotect_by_tenant(op, table)
        op.drop_table(table)


def _of_finding(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "finding_id"],
        ["findings.tenant_id", "findings.id"],
        ondelete="CASCADE",
        name=f"fk_{table}_tenant_id_finding_id_findings",
    )


def create_index_of_words(op: Any) -> None:
    """Let findings be found by words through an index, although row-level security holds.

    `words.py` says how.

    Args:
        op: `alembic.op`.
    """
    op.execute(WORDS_OF_PLACE)
    op.execute(FINDINGS_WITH_WORDS)
    # Concurrently, because scans go on; the block commits what is above, which therefore has to be repeatable.
    with op.get_context().autocommit_block():
        # One whose building was cut off is there and of no use.
        op.drop_index(_OF_WORDS, "findings_in_branches", postgresql_concurrently=True, if_exists=True)
        op.create_index(
            _OF_WORDS,
            "findings_in_branches",
            [sa.text("words_of_place(document, file, branch_id)")],
            postgresql_using="gin",
            postgresql_concurrently=True,
        )


def drop_index_of_words(op: Any) -> None:
    """Take that back."""
    op.drop_index(_OF_WORDS, "findings_in_branches")
    op.execute("DROP FUNCTION findings_with_words(uuid, tsquery)")
    op.execute("DROP FUNCTION words_of_place(jsonb, text, uuid)")
