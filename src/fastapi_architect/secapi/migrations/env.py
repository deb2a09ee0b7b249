"""How Alembic reaches the database: as the role that owns the tables, which the service itself never knows."""

import fastapi_architect.secapi.app
import fastapi_architect.secapi.branches.models
import fastapi_architect.secapi.findings.models
import fastapi_architect.secapi.reports.models  # noqa: F401 - each knows its tables
from fastapi_architect.components.database import Base
from fastapi_architect.components.database.migration_environment import run_migrations

run_migrations(Base.metadata)
