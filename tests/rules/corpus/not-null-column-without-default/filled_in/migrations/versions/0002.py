"""The database has something for every row: a default, a computed value, or an UPDATE before NULL is forbidden."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("orders", sa.Column("paid", sa.Boolean, server_default=sa.false(), nullable=False))
    op.add_column("orders", sa.Column("code", sa.String(20), nullable=True))
    op.execute("UPDATE orders SET code = 'none'")
    op.alter_column("orders", "code", nullable=False)
    op.add_column("orders", sa.Column("twice", sa.Integer, sa.Computed("total * 2"), nullable=False))
    op.execute("ALTER TABLE orders ADD COLUMN currency varchar(3) NOT NULL DEFAULT 'EUR'")


def downgrade() -> None:
    raise NotImplementedError("forward only")
