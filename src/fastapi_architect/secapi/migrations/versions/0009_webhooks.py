"""Webhooks and their deliveries."""

from alembic import op

from fastapi_architect.components.webhooks.migrations import create_webhooks, drop_webhooks

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_webhooks(op)


def downgrade() -> None:
    """Drop them."""
    drop_webhooks(op)
