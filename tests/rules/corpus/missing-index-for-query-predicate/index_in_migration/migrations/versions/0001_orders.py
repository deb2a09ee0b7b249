import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("tracking_number", sa.String),
        sa.Column("placed_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_orders_tracking_number", "orders", ["tracking_number"])


def downgrade() -> None:
    op.drop_table("orders")
