"""A table that this revision makes has no writers yet, and concurrent builds lock nobody out."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "parcels", sa.Column("id", sa.Integer, primary_key=True), sa.Column("code", sa.String(20))
    )
    op.create_index("ix_code", "parcels", ["code"])
    with op.get_context().autocommit_block():
        op.create_index("ix_note", "orders", ["note"], postgresql_concurrently=True)
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_total ON orders (total)")


def downgrade() -> None:
    raise NotImplementedError("forward only")
