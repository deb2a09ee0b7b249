"""Baselines of branches, and branches that were put away."""

from alembic import op

from fastapi_architect.secapi.branches.migrations import add_baselines, drop_baselines

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    add_baselines(op)


def downgrade() -> None:
    """Drop them."""
    drop_baselines(op)
