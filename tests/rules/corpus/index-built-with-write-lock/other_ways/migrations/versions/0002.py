"""Indexes made in SQL, in a batch, and one dropped: each locks a table in use."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_total ON orders (total)")  # finding: index-built-with-write-lock
    with op.batch_alter_table("orders") as batch:
        batch.create_index("ix_note", ["note"])  # finding: index-built-with-write-lock
    op.drop_index("ix_total", table_name="orders")  # finding: index-built-with-write-lock


def downgrade() -> None:
    raise NotImplementedError("forward only")
