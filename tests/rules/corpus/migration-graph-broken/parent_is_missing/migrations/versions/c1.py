"""Its parent was deleted with a branch."""

revision = "c1"  # finding: migration-graph-broken
down_revision = "9f"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
