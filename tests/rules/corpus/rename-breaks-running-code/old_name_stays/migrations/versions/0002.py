"""The old name can be read until a later release: a view for the table, a copy for the column."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("orders", sa.Column("remark", sa.String(200)))
    op.execute("UPDATE orders SET remark = note WHERE remark IS NULL")
    op.rename_table("orders", "purchases")
    op.execute("CREATE VIEW orders AS SELECT * FROM purchases")


def downgrade() -> None:
    raise NotImplementedError("forward only")
