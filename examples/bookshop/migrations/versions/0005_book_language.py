"""Books get a language, step 1 of 3: a column that may be empty, which takes a lock for a moment only."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. The running release does not know it; the next one writes it."""
    op.add_column("books", sa.Column("language", sa.String(2), nullable=True))


def downgrade() -> None:
    """Drop the column; the languages are lost, which the release before this one never had."""
    op.drop_column("books", "language")
