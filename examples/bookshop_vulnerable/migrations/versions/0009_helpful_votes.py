"""Votes for reviews

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Readers can say that a review helped them."""
    op.add_column("reviews", sa.Column("helpful_votes", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:  # finding: irreversible-or-empty-downgrade
    """Nothing to do."""
    pass
