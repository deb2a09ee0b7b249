"""Currency of an order

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Remember in which currency somebody pays."""
    op.add_column("orders", sa.Column("currency", sa.String(length=3), nullable=False))  # finding: not-null-column-without-default


def downgrade() -> None:
    """Everything is in euros again."""
    op.drop_column("orders", "currency")
