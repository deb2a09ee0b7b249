"""No upload goes that a scan refers to."""

from alembic import op

from fastapi_architect.secapi.scans.migrations import hold_uploads, release_uploads

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Hold them."""
    hold_uploads(op)


def downgrade() -> None:
    """Let them go."""
    release_uploads(op)
