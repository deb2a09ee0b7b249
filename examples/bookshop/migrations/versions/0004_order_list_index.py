"""An index for the admins' list of all orders, built while the shop is open."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build the index concurrently: it locks nobody out, but cannot run inside a transaction.

    A build that fails leaves an invalid index behind, which has to be dropped before the next attempt;
    "if not exists" would take it for a good one.
    """
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_orders_created_at_id",
            "orders",
            ["created_at", "id"],
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    """Drop the index, as quietly as it was built."""
    with op.get_context().autocommit_block():
        op.drop_index("ix_orders_created_at_id", table_name="orders", postgresql_concurrently=True)
