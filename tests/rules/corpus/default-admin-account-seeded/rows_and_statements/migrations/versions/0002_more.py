"""More users, and none of them is an administrator whom everybody knows."""

import os

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
users = sa.table("users", sa.column("username"), sa.column("hashed_password"), sa.column("is_superuser"))


def upgrade() -> None:
    op.bulk_insert(users, [{"username": "guest", "hashed_password": "$2b$12$K3bD8pYpa1", "is_superuser": False}])
    op.bulk_insert(users, [{"username": "admin", "hashed_password": os.environ["FIRST_HASH"], "is_superuser": True}])
    op.execute("INSERT INTO users (username, hashed_password, role) VALUES ('guest', '$2b$12$K3bD8pYpa1', 'reader')")
    op.execute("INSERT INTO users (username, hashed_password, role) VALUES ('admin', '!', 'admin')")  # silent: cannot log in
    op.execute("INSERT INTO users (username, hashed_password, role) SELECT name, hash, 'admin' FROM old_users")


def downgrade() -> None:
    op.execute("DELETE FROM users")
