"""One column is added by SQL, one in a batch."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN code text")
    with op.batch_alter_table("orders") as batch:
        batch.add_column(sa.Column("kind", sa.String(20)))


def downgrade() -> None:
    raise NotImplementedError("forward only")
