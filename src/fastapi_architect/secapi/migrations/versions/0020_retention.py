"""For how long archives of failed scans are kept, and which organisations there are to look through."""

from alembic import op

from fastapi_architect.components.tenancy.migrations import create_tenant_list, drop_tenant_list
from fastapi_architect.secapi.projects.migrations import add_retention, drop_retention

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    add_retention(op)
    create_tenant_list(op)


def downgrade() -> None:
    """Take them back."""
    drop_tenant_list(op)
    drop_retention(op)
