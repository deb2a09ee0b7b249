"""Shop."""

revision = "a1"
down_revision = None
branch_labels = ("shop",)


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
