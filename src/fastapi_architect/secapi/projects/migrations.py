"""The table of projects, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa

from fastapi_architect.components.tenancy import protect_by_tenant, unprotect_by_tenant

from ..columns import identified, moment, tenant


def create_projects(op: Any) -> None:
    """Create the table, visible to its organisation only.

    Args:
        op: `alembic.op`.
    """
    op.create_table(
        "projects",
        *identified(),
        tenant("projects"),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("default_branch", sa.String(200), nullable=False),
        sa.Column("gate_severity", sa.String(20), nullable=False),
        sa.Column("gate_new_only", sa.Boolean(), nullable=False),
        sa.Column("accepts_archive_suppressions", sa.Boolean(), nullable=False),
        sa.Column("keep_scans_days", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_projects_tenant_id_id"),
        sa.CheckConstraint("name <> ''", name="ck_projects_name_not_empty"),
        sa.CheckConstraint("keep_scans_days > 0", name="ck_projects_keep_scans_days_positive"),
    )
    op.create_index("ix_projects_tenant_id", "projects", ["tenant_id"])
    op.create_index("ix_projects_tenant_id_created_at_id", "projects", ["tenant_id", "created_at", "id"])
    op.create_index("ix_projects_tenant_id_name_id", "projects", ["tenant_id", "name", "id"])
    op.create_index(
        "uq_projects_tenant_id_name",
        "projects",
        ["tenant_id", sa.text("lower(name)")],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    protect_by_tenant(op, "projects")


def add_results_version(op: Any) -> None:
    """Count changes of what was found. A worker that does not know the column counts nothing: what is cached lives for seconds.

    Args:
        op: `alembic.op`.
    """
    op.add_column(
        "projects", sa.Column("results_version", sa.BigInteger(), server_default="1", nullable=False)
    )


def drop_results_version(op: Any) -> None:
    """Take that back."""
    op.drop_column("projects", "results_version")


def drop_projects(op: Any) -> None:
    """Drop the table."""
    unprotect_by_tenant(op, "projects")
    op.drop_table("projects")


def add_retention(op: Any) -> None:
    """Add for how long the archives of failed scans are kept.

    Args:
        op: `alembic.op`.
    """
    op.add_column(
        "projects", sa.Column("keep_failed_archives_hours", sa.Integer(), server_default="0", nullable=False)
    )
    op.create_check_constraint(
        "ck_projects_keep_failed_archives_hours_not_negative", "projects", "keep_failed_archives_hours >= 0"
    )


def drop_retention(op: Any) -> None:
    """Take the column back."""
    op.drop_column("projects", "keep_failed_archives_hours")
