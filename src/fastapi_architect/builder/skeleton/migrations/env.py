"""How Alembic reaches the database: as the role that owns the tables, which the service itself never knows."""

import app.main  # noqa: F401 - knows every table
from app.components.database import Base
from app.components.database.migration_environment import run_migrations

run_migrations(Base.metadata)
