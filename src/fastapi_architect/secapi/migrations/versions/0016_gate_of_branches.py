"""The gate of a branch as its newest scan left it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is not known counts as open."""
    op.add_column("branches", sa.Column("gate_passed", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("branches", "gate_passed")
