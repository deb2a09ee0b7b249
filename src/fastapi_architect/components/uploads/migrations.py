"""The table of uploads, for a revision of yours: each function takes alembic's `op`."""

from typing import Any

import sqlalchemy as sa


def create_uploads(op: Any) -> None:
    """Create the table."""
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("storage_key", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.UniqueConstraint("storage_key", name="uq_uploads_storage_key"),
        sa.CheckConstraint("size >= 0", name="ck_uploads_size_is_not_negative"),
    )
    op.create_index("ix_uploads_owner_id_id", "uploads", ["owner_id", "id"])


def drop_uploads(op: Any) -> None:
    """Drop the table; the files stay where they are."""
    op.drop_table("uploads")
