"""The schema."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("orders", sa.Column("code", sa.String(20)))


def downgrade() -> None:
    raise NotImplementedError("forward only")
