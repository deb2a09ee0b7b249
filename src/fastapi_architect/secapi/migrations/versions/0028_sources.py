"""Findings say who found them."""

from alembic import op

from fastapi_architect.secapi.findings.migrations import add_sources, drop_sources
from fastapi_architect.secapi.scans.migrations import add_sources_of_scans, drop_sources_of_scans

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    add_sources_of_scans(op)
    add_sources(op)


def downgrade() -> None:
    """Take them back."""
    drop_sources(op)
    drop_sources_of_scans(op)
