"""Projects."""

from alembic import op

from fastapi_architect.secapi.projects.migrations import create_projects, drop_projects

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_projects(op)


def downgrade() -> None:
    """Drop them."""
    drop_projects(op)
