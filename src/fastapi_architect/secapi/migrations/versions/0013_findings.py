"""Findings, where they are, and their history."""

from alembic import op

from fastapi_architect.secapi.findings.migrations import create_findings, drop_findings

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_findings(op)


def downgrade() -> None:
    """Drop them."""
    drop_findings(op)
