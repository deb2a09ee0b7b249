"""The table of kept answers, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa


def create_idempotent_answers(op: Any) -> None:
    """Create the table.

    Args:
        op: `alembic.op`.
    """
    op.create_table(
        "idempotent_answers",
        sa.Column("place", sa.LargeBinary(32), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_idempotent_answers"),
    )
    op.create_index("ix_idempotent_answers_expires_at", "idempotent_answers", ["expires_at"])


def drop_idempotent_answers(op: Any) -> None:
    """Drop the table; requests that are repeated afterwards are new ones."""
    op.drop_table("idempotent_answers")
