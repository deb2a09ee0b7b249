"""The tables of uploads, for revisions of yours: each function takes alembic's `op`."""

from typing import Any

import sqlalchemy as sa

from ..database.privileges import isolate_rows, stop_isolating_rows


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


def create_stored_files(op: Any) -> None:
    """Create the tables for the bytes of files. A transaction sees the chunks of the one file whose key it has named."""
    op.create_table(
        "stored_files",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chunks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_stored_files"),
    )
    op.create_table(
        "stored_chunks",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", "number", name="pk_stored_chunks"),
        sa.ForeignKeyConstraint(
            ["key"], ["stored_files.key"], ondelete="CASCADE", name="fk_stored_chunks_key_stored_files"
        ),
    )
    # What is uploaded is compressed mostly: PostgreSQL need not try it again.
    op.execute("ALTER TABLE stored_chunks ALTER COLUMN data SET STORAGE EXTERNAL")
    isolate_rows(op, "stored_chunks", "key", setting="uploads.key", sql_type="text")


def drop_stored_files(op: Any) -> None:
    """Drop the tables, and with them every file in them."""
    stop_isolating_rows(op, "stored_chunks")
    op.drop_table("stored_chunks")
    op.drop_table("stored_files")
