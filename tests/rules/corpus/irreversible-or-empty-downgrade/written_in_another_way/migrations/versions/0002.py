"""It loops, and calls a function."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


COLUMNS = ("code", "kind")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("orders", sa.Column(name, sa.String(20)))


def _drop(name: str) -> None:
    op.drop_column("orders", name)


def downgrade() -> None:
    for name in reversed(COLUMNS):
        _drop(name)
