"""Changes of what was found are counted."""

from alembic import op

from fastapi_architect.secapi.projects.migrations import add_results_version, drop_results_version

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    add_results_version(op)


def downgrade() -> None:
    """Drop it."""
    drop_results_version(op)
