"""The column is replaced by one of another type: it is there again when the revision has ended."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_column("orders", "total")
    op.add_column("orders", sa.Column("total", sa.BigInteger))


def downgrade() -> None:
    raise NotImplementedError("forward only")
