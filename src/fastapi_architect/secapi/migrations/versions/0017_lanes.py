"""Priorities and lanes of what is still to be done, and dead letters that are noticed once."""

from alembic import op

from fastapi_architect.components.outbox.migrations import add_lanes, drop_lanes

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    add_lanes(op)


def downgrade() -> None:
    """Drop them."""
    drop_lanes(op)
