"""Notes."""

import sqlalchemy as sa
from alembic import op

# [with tenancy]
from app.components.tenancy import protect_by_tenant, unprotect_by_tenant

# [end]
revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of notes."""
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        # [with tenancy]
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        # [without tenancy]
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        # [end]
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("title <> ''", name=op.f("ck_notes_title_not_empty")),
        # [with tenancy]
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["organisations.id"],
            name=op.f("fk_notes_tenant_id_organisations"),
            ondelete="CASCADE",
        ),
        # [end]
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    # [with tenancy]
    op.create_index("ix_notes_tenant_id_created_at_id", "notes", ["tenant_id", "created_at", "id"])
    op.create_index("ix_notes_tenant_id_title_id", "notes", ["tenant_id", "title", "id"])
    # The second wall: PostgreSQL shows and takes the notes of the session's organisation only.
    protect_by_tenant(op, "notes")
    # [without tenancy]
    op.create_index("ix_notes_owner_id_created_at_id", "notes", ["owner_id", "created_at", "id"])
    op.create_index("ix_notes_owner_id_title_id", "notes", ["owner_id", "title", "id"])
    # [end]


def downgrade() -> None:
    """Drop it."""
    # [with tenancy]
    unprotect_by_tenant(op, "notes")
    # [end]
    op.drop_table("notes")
