"""When gates were judged, and which acceptances have ended since."""

from alembic import op

from fastapi_architect.secapi.branches.migrations import add_gate_judged_at, drop_gate_judged_at
from fastapi_architect.secapi.findings.migrations import add_index_of_acceptances, drop_index_of_acceptances

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    # First, because what follows is undone when it fails, and this is not.
    add_index_of_acceptances(op)
    add_gate_judged_at(op)


def downgrade() -> None:
    """Take them back."""
    drop_gate_judged_at(op)
    drop_index_of_acceptances(op)
