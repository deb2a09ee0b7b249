"""Only data: there is nothing to take back."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("UPDATE orders SET total = 0 WHERE total IS NULL")


def downgrade() -> None:
    pass
