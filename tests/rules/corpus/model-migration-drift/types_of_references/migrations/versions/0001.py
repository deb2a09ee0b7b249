"""Keys as autogenerate writes them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "shops",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "shelves",
        sa.Column("shop_id", sa.UUID(), sa.ForeignKey("shops.id"), nullable=False),
        sa.PrimaryKeyConstraint("shop_id"),
    )
    op.create_table(
        "books",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shop_id", sa.UUID(), sa.ForeignKey("shops.id"), nullable=False),
        sa.Column("shelf_id", sa.UUID(), sa.ForeignKey("shelves.shop_id"), nullable=True),
        sa.Column("sold_by", sa.Integer(), sa.ForeignKey("shops.id"), nullable=True),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("books")
    op.drop_table("shelves")
    op.drop_table("shops")
