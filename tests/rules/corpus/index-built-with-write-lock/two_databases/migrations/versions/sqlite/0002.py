"""A folder for another database, which knows no concurrent builds"""

from alembic import op

revision = "sqlite_2"
down_revision = "sqlite_1"


def upgrade() -> None:
    op.create_index("ix_orders_placed_at", "orders", ["placed_at"])


def downgrade() -> None:
    op.drop_index("ix_orders_placed_at", table_name="orders")
