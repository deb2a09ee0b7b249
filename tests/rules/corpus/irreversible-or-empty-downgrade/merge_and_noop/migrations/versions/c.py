"""Changes nothing: a placeholder on a branch."""

revision = "c"
down_revision = "a"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
