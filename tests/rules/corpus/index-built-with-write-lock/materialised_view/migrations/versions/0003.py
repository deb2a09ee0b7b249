"""One view made anew, the other given an index; and a table beside them whose name begins alike."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("DROP MATERIALIZED VIEW IF EXISTS totals CASCADE")
    op.execute("CREATE MATERIALIZED VIEW totals AS SELECT note, max(total) AS total FROM orders GROUP BY note")
    op.execute("CREATE INDEX totals_note_idx ON totals (note)")  # silent: nobody writes to a view that is made here
    op.create_index("ix_days_placed_at", "days", ["placed_at"])  # silent: only a refresh writes to it
    op.execute("CREATE VIEW recent AS SELECT * FROM orders")
    op.execute("CREATE INDEX ix_orders_note ON orders (note)")  # finding: index-built-with-write-lock


def downgrade() -> None:
    op.execute("DROP INDEX ix_orders_note")
