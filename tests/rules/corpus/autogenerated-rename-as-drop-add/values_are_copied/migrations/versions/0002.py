"""The values go from one to the other before the old one is dropped."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("orders", sa.Column("remark", sa.String(200)))
    op.execute("UPDATE orders SET remark = note")
    op.drop_column("orders", "note")


def downgrade() -> None:
    raise NotImplementedError("forward only")
