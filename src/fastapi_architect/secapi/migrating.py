"""Alembic's configuration of SecAPI, for the command, the supervisor and the tests alike."""

from pathlib import Path

from alembic.config import Config

#: The role that owns the tables, and the one as which the service connects: row-level security holds for the second.
OWNER, APPLICATION = "secapi_owner", "secapi_app"


def alembic_config() -> Config:
    """Return the configuration; where the database is stands in DATABASE_OWNER_URL."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
