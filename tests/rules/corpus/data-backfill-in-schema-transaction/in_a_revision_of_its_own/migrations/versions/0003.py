"""The rows: no ALTER TABLE of this revision holds a lock."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("UPDATE orders SET code = 'none'")


def downgrade() -> None:
    raise NotImplementedError("forward only")
