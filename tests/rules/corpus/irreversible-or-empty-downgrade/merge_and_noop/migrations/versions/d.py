"""Joins the branches."""

revision = "d"
down_revision = ("b", "c")


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
