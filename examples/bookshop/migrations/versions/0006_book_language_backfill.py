"""Books get a language, step 2 of 3: English where nobody said otherwise, a thousand rows at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BATCH = sa.text(
    "UPDATE books SET language = 'en' WHERE id IN"
    " (SELECT id FROM books WHERE language IS NULL ORDER BY id LIMIT 1000 FOR UPDATE)"
)


def upgrade() -> None:
    """Fill in batches, each its own transaction, so that no customer waits; started again, it goes on."""
    with op.get_context().autocommit_block():
        while op.get_bind().execute(BATCH).rowcount > 0:
            pass


def downgrade() -> None:
    """Keep the values: revision 0005 allows them, and which of them were guessed is not known."""
