"""A column that a statement still reads."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_column("orders", "note")  # finding: drop-of-column-still-used


def downgrade() -> None:
    raise NotImplementedError("forward only")
