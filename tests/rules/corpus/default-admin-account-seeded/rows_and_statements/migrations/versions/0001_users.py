"""Users, and the first of them."""

import os

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    users = op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("username", sa.String(50)),
        sa.Column("hashed_password", sa.String(100)),
        sa.Column("is_superuser", sa.Boolean),
        sa.Column("role", sa.String(20)),
    )
    op.bulk_insert(users, [{"username": "boss", "hashed_password": "$2b$12$K3bD8pYpa1", "is_superuser": True}])  # finding: default-admin-account-seeded
    op.execute("INSERT INTO users (username, hashed_password, role) VALUES ('max', '$2b$12$K3bD8pYpa1', 'admin')")  # finding: default-admin-account-seeded
    op.execute(users.insert().values(username="admin", hashed_password="$2b$12$K3bD8pYpa1"))  # finding: default-admin-account-seeded


def downgrade() -> None:
    op.drop_table("users")
