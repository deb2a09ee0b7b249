"""The model has stopped mapping `note`; a column of that name in another table is another."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True), sa.Column("note", sa.String(200)))
    op.drop_column("orders", "note")


def downgrade() -> None:
    raise NotImplementedError("forward only")
