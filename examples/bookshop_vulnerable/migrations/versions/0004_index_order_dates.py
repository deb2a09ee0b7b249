"""Index the dates of orders

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the lists of the office fast."""
    op.create_index("ix_orders_created_at", "orders", ["created_at"])  # finding: index-built-with-write-lock


def downgrade() -> None:
    """Drop the index without stopping writes."""
    with op.get_context().autocommit_block():
        op.drop_index("ix_orders_created_at", table_name="orders", postgresql_concurrently=True)
