"""Call the copies of a book its stock

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Use the word that the warehouse uses."""
    op.alter_column("books", "copies", new_column_name="stock")  # finding: rename-breaks-running-code


def downgrade() -> None:
    """Use the old word."""
    op.alter_column("books", "stock", new_column_name="copies")
