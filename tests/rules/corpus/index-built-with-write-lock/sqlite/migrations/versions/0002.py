"""SQLite has one writer anyway, and no concurrent builds."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_note", "orders", ["note"])


def downgrade() -> None:
    raise NotImplementedError("forward only")
