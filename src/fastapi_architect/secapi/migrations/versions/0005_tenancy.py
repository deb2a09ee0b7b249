"""Organisations, members, invitations."""

from alembic import op

from fastapi_architect.components.tenancy.migrations import create_tenancy, drop_tenancy

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_tenancy(op)


def downgrade() -> None:
    """Drop them."""
    drop_tenancy(op)
