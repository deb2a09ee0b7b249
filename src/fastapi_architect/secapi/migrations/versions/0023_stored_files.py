"""The bytes of archives, in the database."""

from alembic import op

from fastapi_architect.components.uploads.migrations import create_stored_files, drop_stored_files

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_stored_files(op)


def downgrade() -> None:
    """Drop them."""
    drop_stored_files(op)
