"""Scans, their application roots and their progress."""

from alembic import op

from fastapi_architect.secapi.scans.migrations import create_scans, drop_scans

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_scans(op)


def downgrade() -> None:
    """Drop them."""
    drop_scans(op)
