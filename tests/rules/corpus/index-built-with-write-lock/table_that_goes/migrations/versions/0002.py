"""The index goes first, and then its table."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_index("ix_orders_placed_at", table_name="orders")
    op.drop_table("orders")


def downgrade() -> None:
    pass
