"""The same for PostgreSQL"""

from alembic import op

revision = "postgresql_2"
down_revision = "postgresql_1"


def upgrade() -> None:
    op.create_index("ix_orders_placed_at", "orders", ["placed_at"])  # finding: index-built-with-write-lock


def downgrade() -> None:
    op.drop_index("ix_orders_placed_at", table_name="orders")
