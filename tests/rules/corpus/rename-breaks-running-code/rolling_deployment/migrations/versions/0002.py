"""A column renamed by a server that migrates in its own start, beside the pod that it takes over from."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.alter_column("orders", "note", new_column_name="remark")  # finding: rename-breaks-running-code


def downgrade() -> None:
    op.alter_column("orders", "remark", new_column_name="note")
