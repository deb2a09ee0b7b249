"""What is still to be done outside of requests."""

from alembic import op

from fastapi_architect.components.outbox.migrations import create_outbox, drop_outbox

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_outbox(op)


def downgrade() -> None:
    """Drop them."""
    drop_outbox(op)
