"""The same table, one release later."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_orders_id ON orders (id)")  # finding: index-built-with-write-lock


def downgrade() -> None:
    raise NotImplementedError("forward only")
