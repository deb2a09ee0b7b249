"""The tables of scans, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from fastapi_architect.components.tenancy import protect_by_tenant, unprotect_by_tenant

from ..columns import identified, moment, of_project, tenant

_OPEN = sa.text("state IN ('queued', 'running')")
HELD_UPLOAD = "fk_scans_upload_id_uploads"
_TABLES = ("scan_events", "scan_roots", "scans")


def create_scans(op: Any) -> None:
    """Create the tables, visible to their organisation only.

    Args:
        op: `alembic.op`.
    """
    op.create_table(
        "scans",
        *identified(),
        tenant("scans"),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("priority", sa.String(20), nullable=False),
        sa.Column("branch", sa.String(200), nullable=False),
        sa.Column("commit", sa.String(64), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("roots", sa.Integer(), nullable=False),
        sa.Column("roots_done", sa.Integer(), nullable=False),
        sa.Column("cancel_requested_at", moment(), nullable=True),
        sa.Column("started_at", moment(), nullable=True),
        sa.Column("finished_at", moment(), nullable=True),
        sa.Column("error_code", sa.String(60), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("counts", JSONB(), nullable=True),
        sa.Column("gate", JSONB(), nullable=True),
        sa.Column("notes", JSONB(), nullable=True),
        sa.Column("engine", sa.String(40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scans"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_scans_tenant_id_id"),
        sa.UniqueConstraint("upload_id", name="uq_scans_upload_id"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'dead', 'cancelled')",
            name="ck_scans_state_known",
        ),
        of_project("scans"),
    )
    op.create_index("ix_scans_tenant_id", "scans", ["tenant_id"])
    op.create_index("ix_scans_project_id_created_at_id", "scans", ["project_id", "created_at", "id"])
    op.create_index(
        "ix_scans_project_id_branch_created_at_id", "scans", ["project_id", "branch", "created_at", "id"]
    )
    op.create_index("ix_scans_open_tenant_id", "scans", ["tenant_id"], postgresql_where=_OPEN)
    op.create_index("ix_scans_open_task_id", "scans", ["task_id"], postgresql_where=_OPEN)
    op.create_table(
        "scan_roots",
        sa.Column("id", sa.Uuid(), nullable=False),
        tenant("scan_roots"),
        sa.Column("scan_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("report", JSONB(), nullable=True),
        sa.Column("proposed", JSONB(), nullable=False),
        sa.Column("error_code", sa.String(60), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("walls", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scan_roots"),
        sa.UniqueConstraint("scan_id", "path", name="uq_scan_roots_scan_id_path"),
        _of_scan("scan_roots"),
    )
    op.create_index("ix_scan_roots_tenant_id", "scan_roots", ["tenant_id"])
    op.create_table(
        "scan_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        tenant("scan_events"),
        sa.Column("scan_id", sa.Uuid(), nullable=False),
        sa.Column("at", moment(), server_default=sa.func.now(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("details", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scan_events"),
        _of_scan("scan_events"),
    )
    op.create_index("ix_scan_events_tenant_id", "scan_events", ["tenant_id"])
    op.create_index("ix_scan_events_scan_id_id", "scan_events", ["scan_id", "id"])
    for table in _TABLES:
        protect_by_tenant(op, table)


def add_findings_of_roots(op: Any) -> None:
    """Let reports say which findings of the project they speak of. Workers that do not know the column go on.

    Args:
        op: `alembic.op`.
    """
    op.add_column("scan_roots", sa.Column("findings", JSONB(), nullable=True))


def drop_findings_of_roots(op: Any) -> None:
    """Take that back."""
    op.drop_column("scan_roots", "findings")


def hold_uploads(op: Any) -> None:
    """Let no upload be deleted that a scan refers to. Who asks is PostgreSQL itself, when a transaction ends.

    Args:
        op: `alembic.op`.
    """
    # Again, if the last part of this failed before.
    op.execute(f"ALTER TABLE scans DROP CONSTRAINT IF EXISTS {HELD_UPLOAD}")
    op.create_foreign_key(
        HELD_UPLOAD,
        "scans",
        "uploads",
        ["upload_id"],
        ["id"],
        deferrable=True,
        initially="DEFERRED",
        postgresql_not_valid=True,
    )
    # Apart, as it reads all scans, and nobody shall wait for that.
    with op.get_context().autocommit_block():
        # Whose archive was deleted under it: it has none.
        op.execute(
            "UPDATE scans SET upload_id = NULL WHERE upload_id IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM uploads WHERE uploads.id = scans.upload_id)"
        )
        op.execute(f"ALTER TABLE scans VALIDATE CONSTRAINT {HELD_UPLOAD}")


def release_uploads(op: Any) -> None:
    """Take that back."""
    op.drop_constraint(HELD_UPLOAD, "scans", type_="foreignkey")


def add_sources_of_scans(op: Any) -> None:
    """Let scans be of files in which several tools say what they found.

    A worker that does not know of sources goes on: it writes one row for each application root, all of them the engine's.

    Args:
        op: `alembic.op`.
    """
    source = sa.Column("source", sa.String(200), server_default="engine", nullable=False)
    op.add_column("scan_roots", source, if_not_exists=True)
    op.add_column("scans", sa.Column("sources", JSONB(), nullable=True), if_not_exists=True)
    op.add_column("scans", sa.Column("import_options", JSONB(), nullable=True), if_not_exists=True)
    # Concurrently, because scans go on; the block commits what is above, which therefore has to be repeatable.
    with op.get_context().autocommit_block():
        name = "ix_scan_roots_scan_id_path_source"
        # One whose building was cut off is there and of no use.
        op.drop_index(name, "scan_roots", postgresql_concurrently=True, if_exists=True)
        columns = ["scan_id", "path", "source"]
        op.create_index(name, "scan_roots", columns, unique=True, postgresql_concurrently=True)
    op.drop_constraint("uq_scan_roots_scan_id_path", "scan_roots", if_exists=True)


def drop_sources_of_scans(op: Any) -> None:
    """Take that back, with what was imported: the scans stay, and what they say without it."""
    op.execute("DELETE FROM scan_roots WHERE source <> 'engine'")
    op.drop_index("ix_scan_roots_scan_id_path_source", "scan_roots")
    op.create_unique_constraint("uq_scan_roots_scan_id_path", "scan_roots", ["scan_id", "path"])
    for table, column in (("scan_roots", "source"), ("scans", "sources"), ("scans", "import_options")):
        op.drop_column(table, column)


def drop_scans(op: Any) -> None:
    """Drop the tables."""
    for table in _TABLES:
        unprotect_by_tenant(op, table)
        op.drop_table(table)


def _of_scan(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "scan_id"],
        ["scans.tenant_id", "scans.id"],
        ondelete="CASCADE",
        name=f"fk_{table}_tenant_id_scan_id_scans",
    )
