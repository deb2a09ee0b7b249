"""Branches."""

from alembic import op

from fastapi_architect.secapi.branches.migrations import create_branches, drop_branches

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_branches(op)


def downgrade() -> None:
    """Drop them."""
    drop_branches(op)
