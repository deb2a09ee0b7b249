"""The rows are rewritten by an expression, and through the connection."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    orders = sa.table("orders", sa.column("code", sa.String), sa.column("total", sa.Integer))
    op.add_column("orders", sa.Column("code", sa.String(20)))
    op.execute(orders.update().values(code="none"))  # finding: data-backfill-in-schema-transaction
    connection = op.get_bind()
    connection.execute(sa.text("UPDATE orders SET id = -id"))  # finding: data-backfill-in-schema-transaction


def downgrade() -> None:
    raise NotImplementedError("forward only")
