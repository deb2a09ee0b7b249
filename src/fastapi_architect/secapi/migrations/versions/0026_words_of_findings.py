"""Findings are found by words through an index."""

from alembic import op

from fastapi_architect.secapi.findings.migrations import create_index_of_words, drop_index_of_words

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it, and the functions that fill and ask it."""
    create_index_of_words(op)


def downgrade() -> None:
    """Drop them."""
    drop_index_of_words(op)
