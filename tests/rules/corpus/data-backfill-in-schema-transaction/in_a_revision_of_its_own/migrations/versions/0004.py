"""Outside the transaction."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("orders", sa.Column("kind", sa.String(20)))
    with op.get_context().autocommit_block():
        op.execute("UPDATE orders SET kind = 'book'")


def downgrade() -> None:
    raise NotImplementedError("forward only")
