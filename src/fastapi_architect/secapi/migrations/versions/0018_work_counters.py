"""Numbers about the work."""

from alembic import op

from fastapi_architect.secapi.work.migrations import create_work_counters, drop_work_counters

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    create_work_counters(op)


def downgrade() -> None:
    """Drop it."""
    drop_work_counters(op)
