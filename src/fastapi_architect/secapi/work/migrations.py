"""The table of counters, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa


def create_work_counters(op: Any) -> None:
    """Create the table. It is of the service and of no organisation: it holds nothing but sums.

    Args:
        op: `alembic.op`.
    """
    op.create_table(
        "work_counters",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", "label", name="pk_work_counters"),
    )


def drop_work_counters(op: Any) -> None:
    """Drop the table."""
    op.drop_table("work_counters")
