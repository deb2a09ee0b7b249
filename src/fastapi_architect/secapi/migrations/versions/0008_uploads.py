"""Archives that were sent."""

from alembic import op

from fastapi_architect.components.uploads.migrations import create_uploads, drop_uploads

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_uploads(op)


def downgrade() -> None:
    """Drop them."""
    drop_uploads(op)
