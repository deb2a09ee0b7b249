"""Orders"""

import sqlalchemy as sa
from alembic import op

revision = "sqlite_1"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("total", sa.Integer),
        sa.Column("note", sa.String(200)),
        sa.Column("placed_at", sa.DateTime),
    )


def downgrade() -> None:
    op.drop_table("orders")
