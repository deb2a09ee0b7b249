"""Another branch."""

revision = "b2"
down_revision = "a1"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
