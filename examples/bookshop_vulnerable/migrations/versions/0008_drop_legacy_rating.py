"""Ratings come from reviews now

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the ratings of the old site."""
    op.drop_column("books", "legacy_rating")  # finding: drop-of-column-still-used


def downgrade() -> None:
    """Bring the column back; the ratings in it are lost."""
    op.add_column("books", sa.Column("legacy_rating", sa.Integer(), nullable=True))
