from alembic import context  # noqa: F401
