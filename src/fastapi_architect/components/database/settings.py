"""Where the database is, and how much of it a process may hold."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ..service import ComponentSettings


def _require_psycopg(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith("postgresql+psycopg://"):
        raise ValueError("begins with postgresql+psycopg:// (API, workers and migrations share this driver)")
    return url


DatabaseUrl = Annotated[SecretStr, AfterValidator(_require_psycopg)]


class DatabaseSettings(ComponentSettings):
    """DATABASE_*: where the database is and how much of it a process may hold.

    All processes together may hold `processes * (pool_size + max_overflow)` connections, which has to stay below
    `max_connections` of the server.
    """

    model_config = SettingsConfigDict(env_prefix="DATABASE_")

    #: The role of the application, which owns no table. Secret, because it may hold a password.
    url: DatabaseUrl
    pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    max_overflow: Annotated[int, Field(ge=0, le=100)] = 5
    #: Seconds that a request waits for a connection before it is refused.
    pool_timeout: Annotated[float, Field(gt=0, le=60)] = 3.0
    #: Seconds that a new connection may take.
    connect_timeout: Annotated[int, Field(ge=2, le=60)] = 5
    #: Milliseconds after which PostgreSQL cancels a statement, a wait for a lock, a forgotten transaction.
    statement_timeout: Annotated[int, Field(ge=0)] = 5_000
    lock_timeout: Annotated[int, Field(ge=0)] = 2_000
    idle_in_transaction_timeout: Annotated[int, Field(ge=0)] = 15_000


class MigrationSettings(ComponentSettings):
    """DATABASE_OWNER_URL: the role that owns the tables. Only migrations know it, never the service."""

    model_config = SettingsConfigDict(env_prefix="DATABASE_")

    owner_url: DatabaseUrl
    #: Milliseconds that a migration waits for a lock: behind a waiting one, everybody else waits too.
    migration_lock_timeout: Annotated[int, Field(ge=1)] = 4_000
