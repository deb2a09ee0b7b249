"""It raises, with the reason."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_column("orders", "note")


def downgrade() -> None:
    raise NotImplementedError("forward only")
