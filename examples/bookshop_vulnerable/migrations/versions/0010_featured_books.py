"""Books on the front page

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Mark the books on the front page, and find them without stopping writes."""
    op.add_column("books", sa.Column("is_featured", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.get_context().autocommit_block():
        op.create_index("ix_books_is_featured", "books", ["is_featured"], postgresql_concurrently=True)


def downgrade() -> None:
    """There is no front page."""
    with op.get_context().autocommit_block():
        op.drop_index("ix_books_is_featured", table_name="books", postgresql_concurrently=True)
    op.drop_column("books", "is_featured")
