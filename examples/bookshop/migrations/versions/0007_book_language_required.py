"""Books get a language, step 3 of 3: the column is required.

SET NOT NULL alone would read the whole table under an exclusive lock. A validated constraint spares it that,
and validating lets others read and write. Each statement is its own transaction.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CONSTRAINT = "ck_books_language_not_null"


def upgrade() -> None:
    """Prove first that no row is empty, then say so in the column."""
    with op.get_context().autocommit_block():
        op.create_check_constraint(
            op.f(CONSTRAINT), "books", sa.text("language IS NOT NULL"), postgresql_not_valid=True
        )
        op.execute("ALTER TABLE books VALIDATE CONSTRAINT ck_books_language_not_null")
        op.alter_column("books", "language", existing_type=sa.String(2), nullable=False)
        op.drop_constraint(op.f(CONSTRAINT), "books", type_="check")


def downgrade() -> None:
    """Allow the column to be empty again."""
    op.alter_column("books", "language", existing_type=sa.String(2), nullable=True)
