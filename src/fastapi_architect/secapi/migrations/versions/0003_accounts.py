"""Accounts, their sessions and tokens."""

from alembic import op

from fastapi_architect.components.accounts.migrations import create_accounts, drop_accounts

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_accounts(op)


def downgrade() -> None:
    """Drop them."""
    drop_accounts(op)
