"""There is no `downgrade` at all."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:  # finding: irreversible-or-empty-downgrade
    op.add_column("orders", sa.Column("code", sa.String(20)))
