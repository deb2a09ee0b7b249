"""A column altered under its own name, an index renamed, and a table that nobody knows yet."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.alter_column("orders", "note", new_column_name="note", type_=sa.Text())
    op.execute("ALTER INDEX orders_pkey RENAME TO pk_orders")
    op.create_table("drafts", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Integer))
    op.alter_column("drafts", "a", new_column_name="b")


def downgrade() -> None:
    raise NotImplementedError("forward only")
