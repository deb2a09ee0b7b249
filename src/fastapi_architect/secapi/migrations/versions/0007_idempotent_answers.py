"""Answers that are kept for repeated requests."""

from alembic import op

from fastapi_architect.components.idempotency.migrations import (
    create_idempotent_answers,
    drop_idempotent_answers,
)

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_idempotent_answers(op)


def downgrade() -> None:
    """Drop them."""
    drop_idempotent_answers(op)
