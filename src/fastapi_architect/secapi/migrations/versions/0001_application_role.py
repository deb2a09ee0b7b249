"""Let the service's role work with every table that the owner makes from now on."""

from alembic import op

from fastapi_architect.components.database.privileges import grant_to_application, revoke_from_application

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: It has to be there already: `architect serve prepare-database` makes it.
ROLE = "secapi_app"


def upgrade() -> None:
    """Grant what a service does: read and write rows, and nothing that changes a table."""
    grant_to_application(op, ROLE)


def downgrade() -> None:
    """Take it back."""
    revoke_from_application(op, ROLE)
