"""A default of Python, a batch, and SQL text: the rows that are there get nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    paid = sa.Column("paid", sa.Boolean, default=False, nullable=False)
    op.add_column("orders", paid)  # finding: not-null-column-without-default
    code = sa.Column("code", sa.Text, nullable=False)
    with op.batch_alter_table("orders") as batch:
        batch.add_column(code)  # finding: not-null-column-without-default
    op.execute("ALTER TABLE orders ADD COLUMN a int NOT NULL")  # finding: not-null-column-without-default


def downgrade() -> None:
    raise NotImplementedError("forward only")
