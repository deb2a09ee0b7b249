"""Creates a table, and takes it back with SQL text."""

from alembic import op

revision = "a"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE notes (id integer PRIMARY KEY)")


def downgrade() -> None:
    op.execute("DROP TABLE notes")
