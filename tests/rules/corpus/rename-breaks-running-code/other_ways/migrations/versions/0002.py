"""A column renamed in SQL, one in a batch, and a whole table."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE orders RENAME COLUMN note TO remark")  # finding: rename-breaks-running-code
    with op.batch_alter_table("orders") as batch:
        batch.alter_column("total", new_column_name="amount")  # finding: rename-breaks-running-code
    op.rename_table("orders", "purchases")  # finding: rename-breaks-running-code


def downgrade() -> None:
    raise NotImplementedError("forward only")
