"""Every concurrent build stands in an autocommit block; the plain one may stay in the transaction."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("orders", sa.Column("code", sa.String(20)))
    op.create_index("ix_code", "orders", ["code"])
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_total ON orders (total)")
        op.drop_index("ix_code", table_name="orders", postgresql_concurrently=True)


def downgrade() -> None:
    raise NotImplementedError("forward only")
