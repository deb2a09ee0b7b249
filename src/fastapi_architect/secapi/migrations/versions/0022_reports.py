"""Reports to download, and which findings the reports of the engine speak of."""

from alembic import op

from fastapi_architect.secapi.reports.migrations import create_reports, drop_reports
from fastapi_architect.secapi.scans.migrations import add_findings_of_roots, drop_findings_of_roots

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    add_findings_of_roots(op)
    create_reports(op)


def downgrade() -> None:
    """Take them back."""
    drop_reports(op)
    drop_findings_of_roots(op)
