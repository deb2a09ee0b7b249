"""Passwords that were made for somebody, and are good only to choose another."""

from alembic import op

from fastapi_architect.components.accounts.migrations import add_initial_passwords, drop_initial_passwords

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    add_initial_passwords(op)


def downgrade() -> None:
    """Drop it."""
    drop_initial_passwords(op)
