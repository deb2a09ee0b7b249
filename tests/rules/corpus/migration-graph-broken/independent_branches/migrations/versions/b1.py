"""Reports, kept apart on purpose."""

revision = "b1"
down_revision = None
branch_labels = ("reports",)


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
