"""Keys for programs."""

from alembic import op

from fastapi_architect.components.api_keys.migrations import create_api_keys, drop_api_keys

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_api_keys(op)


def downgrade() -> None:
    """Drop them."""
    drop_api_keys(op)
