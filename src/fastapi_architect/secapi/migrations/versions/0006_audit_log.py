"""Who did what."""

from alembic import op

from fastapi_architect.components.audit_log.migrations import create_audit_log, drop_audit_log

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_audit_log(op)


def downgrade() -> None:
    """Drop them."""
    drop_audit_log(op)
