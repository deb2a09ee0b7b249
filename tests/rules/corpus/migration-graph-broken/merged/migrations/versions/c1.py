"""Joins them."""

revision = "c1"
down_revision = ("b1", "b2")


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
