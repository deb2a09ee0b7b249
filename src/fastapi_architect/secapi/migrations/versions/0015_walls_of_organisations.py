"""The second wall around audit events and webhooks: PostgreSQL itself keeps organisations apart."""

from alembic import op

from fastapi_architect.components.audit_log import protect_audit_log, unprotect_audit_log
from fastapi_architect.components.webhooks import protect_webhooks, unprotect_webhooks

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put it up."""
    protect_audit_log(op)
    protect_webhooks(op)


def downgrade() -> None:
    """Take it down."""
    unprotect_webhooks(op)
    unprotect_audit_log(op)
