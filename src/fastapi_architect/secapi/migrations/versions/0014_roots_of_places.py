"""The folder of a finding's application root, branch by branch."""

from alembic import op

from fastapi_architect.secapi.findings.migrations import add_roots_of_places, drop_roots_of_places

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    add_roots_of_places(op)


def downgrade() -> None:
    """Drop it."""
    drop_roots_of_places(op)
