"""It only says so."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN kind text")


def downgrade() -> None:  # finding: irreversible-or-empty-downgrade
    """Nothing to do."""
