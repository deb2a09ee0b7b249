"""What is added is something else: of another type, a reference, or in another table."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))
    op.drop_column("orders", "note")
    op.add_column("orders", sa.Column("note_id", sa.Integer, sa.ForeignKey("notes.id")))
    op.add_column("notes", sa.Column("text", sa.String(200)))


def downgrade() -> None:
    raise NotImplementedError("forward only")
