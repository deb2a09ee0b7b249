"""Copied, and not renamed."""

revision = "b1"  # finding: migration-graph-broken
down_revision = "a1"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
