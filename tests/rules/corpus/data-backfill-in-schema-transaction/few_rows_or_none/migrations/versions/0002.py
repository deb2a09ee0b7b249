"""A few rows, another table, and a table that is new."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "parcels", sa.Column("id", sa.Integer, primary_key=True), sa.Column("code", sa.String(20))
    )
    op.execute("UPDATE parcels SET code = 'none'")
    op.add_column("orders", sa.Column("code", sa.String(20)))
    op.execute("UPDATE orders SET code = 'old' WHERE id = 1")


def downgrade() -> None:
    raise NotImplementedError("forward only")
