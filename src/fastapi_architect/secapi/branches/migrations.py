"""The table of branches, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from fastapi_architect.components.tenancy import protect_by_tenant, unprotect_by_tenant

from ..columns import identified, moment, of_project, tenant


def create_branches(op: Any) -> None:
    """Create the table, visible to its organisation only.

    Args:
        op: `alembic.op`.
    """
    op.create_table(
        "branches",
        *identified(),
        tenant("branches"),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("scan_id", sa.Uuid(), nullable=True),
        sa.Column("scanned_at", moment(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("counts", JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_branches"),
        sa.UniqueConstraint("project_id", "name", name="uq_branches_project_id_name"),
        of_project("branches"),
    )
    op.create_index("ix_branches_tenant_id", "branches", ["tenant_id"])
    op.create_index("ix_branches_project_id_created_at_id", "branches", ["project_id", "created_at", "id"])
    protect_by_tenant(op, "branches")


def add_baselines(op: Any) -> None:
    """Let branches have a baseline of their own, and be put away. Workers that do not know the columns go on.

    Args:
        op: `alembic.op`.
    """
    # First, because what follows is undone when it fails, and this is not; concurrently, because scans go on.
    with op.get_context().autocommit_block():
        # One whose building was cut off is there and of no use.
        op.drop_index(
            "ix_branches_project_id_name_id", "branches", postgresql_concurrently=True, if_exists=True
        )
        op.create_index(
            "ix_branches_project_id_name_id",
            "branches",
            ["project_id", "name", "id"],
            postgresql_concurrently=True,
        )
    op.add_column("branches", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("branches", sa.Column("baseline", sa.String(200), nullable=True))
    op.add_column("branches", sa.Column("baseline_scan_id", sa.Uuid(), nullable=True))
    op.add_column("branches", sa.Column("baseline_at", moment(), nullable=True))
    op.add_column("branches", sa.Column("archived_at", moment(), nullable=True))


def drop_baselines(op: Any) -> None:
    """Take that back."""
    op.drop_index("ix_branches_project_id_name_id", "branches")
    for column in ("archived_at", "baseline_at", "baseline_scan_id", "baseline", "version"):
        op.drop_column("branches", column)


def add_gate_judged_at(op: Any) -> None:
    """Remember when the gate of a branch was judged. Workers that do not know the column go on.

    Args:
        op: `alembic.op`.
    """
    op.add_column("branches", sa.Column("gate_judged_at", moment(), nullable=True))


def drop_gate_judged_at(op: Any) -> None:
    """Forget it."""
    op.drop_column("branches", "gate_judged_at")


def drop_branches(op: Any) -> None:
    """Drop the table."""
    unprotect_by_tenant(op, "branches")
    op.drop_table("branches")
