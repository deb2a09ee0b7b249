"""The tables of reports, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa

from fastapi_architect.components.tenancy import protect_by_tenant, unprotect_by_tenant

from ..columns import identified, moment, tenant

_TABLES = ("report_contents", "reports")


def create_reports(op: Any) -> None:
    """Create the tables, visible to their organisation only.

    Args:
        op: `alembic.op`.
    """
    op.create_table(
        "reports",
        *identified(),
        tenant("reports"),
        sa.Column("scan_id", sa.Uuid(), nullable=False),
        sa.Column("format", sa.String(10), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("results_version", sa.BigInteger(), nullable=False),
        sa.Column("error_code", sa.String(60), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("finished_at", moment(), nullable=True),
        sa.Column("expires_at", moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_reports_tenant_id_id"),
        sa.CheckConstraint(
            "state IN ('queued', 'ready', 'failed', 'expired')", name="ck_reports_state_known"
        ),
        sa.CheckConstraint("format IN ('json', 'sarif', 'html', 'csv')", name="ck_reports_format_known"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "scan_id"],
            ["scans.tenant_id", "scans.id"],
            ondelete="CASCADE",
            name="fk_reports_tenant_id_scan_id_scans",
        ),
    )
    op.create_index("ix_reports_tenant_id", "reports", ["tenant_id"])
    op.create_index("ix_reports_scan_id_created_at_id", "reports", ["scan_id", "created_at", "id"])
    op.create_index(
        "ix_reports_queued_tenant_id",
        "reports",
        ["tenant_id"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index("ix_reports_expires_at", "reports", ["expires_at"])
    op.create_table(
        "report_contents",
        tenant("report_contents"),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("compressed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("report_id", name="pk_report_contents"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "report_id"],
            ["reports.tenant_id", "reports.id"],
            ondelete="CASCADE",
            name="fk_report_contents_tenant_id_report_id_reports",
        ),
    )
    op.create_index("ix_report_contents_tenant_id", "report_contents", ["tenant_id"])
    for table in _TABLES:
        protect_by_tenant(op, table)


def drop_reports(op: Any) -> None:
    """Drop the tables."""
    for table in _TABLES:
        unprotect_by_tenant(op, table)
        op.drop_table(table)
