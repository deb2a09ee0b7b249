"""A table that a model still maps."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_table("orders")  # finding: drop-of-column-still-used


def downgrade() -> None:
    raise NotImplementedError("forward only")
