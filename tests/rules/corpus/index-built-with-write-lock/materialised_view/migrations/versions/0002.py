"""Two materialised views."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE MATERIALIZED VIEW totals AS SELECT note, sum(total) AS total FROM orders GROUP BY note")
    op.execute("CREATE INDEX totals_note_idx ON totals (note)")  # silent: made by this revision
    op.execute('CREATE MATERIALIZED VIEW IF NOT EXISTS public."days" AS SELECT placed_at FROM orders')


def downgrade() -> None:
    op.execute("DROP MATERIALIZED VIEW days")
    op.execute("DROP MATERIALIZED VIEW totals")
