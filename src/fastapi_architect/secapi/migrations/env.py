"""How Alembic reaches the database: as the role that owns the tables, which the service itself never knows."""

import fastapi_architect.secapi.app  # noqa: F401 - knows every table
from fastapi_architect.components.database import Base
from fastapi_architect.components.database.migration_environment import run_migrations

run_migrations(Base.metadata)
