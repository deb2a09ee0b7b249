"""Concurrent builds as SQL text, and behind a block that has ended."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE INDEX CONCURRENTLY ix ON orders (id)")  # finding: concurrent-index-in-transaction
    with op.get_context().autocommit_block():
        op.create_index("ix_note", "orders", ["note"], postgresql_concurrently=True)
    op.execute("DROP INDEX CONCURRENTLY ix_note")  # finding: concurrent-index-in-transaction


def downgrade() -> None:
    raise NotImplementedError("forward only")
