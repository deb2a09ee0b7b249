"""How Alembic reaches the database: all that a project's `env.py` says.

    from app.components.database import Base
    from app.components.database.migration_environment import run_migrations

    run_migrations(Base.metadata)

Each revision is its own transaction, and waits for no lock for long: behind a migration that waits, every request waits too.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from pydantic import SecretStr
from sqlalchemy import MetaData, create_engine, func, pool, select
from sqlalchemy.engine import Connection

from .settings import MigrationSettings

_LOCK = 7_260_531_078
#: Seconds that a second process waits for one that migrates already.
_PATIENCE = 600.0


def run_migrations(metadata: MetaData, settings: MigrationSettings | None = None) -> None:
    """Run what Alembic was asked for, or write its SQL in offline mode.

    Args:
        metadata: of all tables; the modules that hold them have been imported.
        settings: of the role that owns the tables; without any, the attribute `owner_url` of Alembic's configuration
            says its URL, or DATABASE_OWNER_URL does.
    """
    chosen = settings or _settings()
    url = chosen.owner_url.get_secret_value()
    if context.is_offline_mode():
        context.configure(
            url=url, target_metadata=metadata, literal_binds=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()
        return
    options = f"-c lock_timeout={chosen.migration_lock_timeout} -c statement_timeout=0"
    engine = create_engine(
        url, poolclass=pool.NullPool, connect_args={"connect_timeout": 5, "options": options}
    )
    with engine.connect() as connection, _one_at_a_time(connection):
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


def _settings() -> MigrationSettings:
    given = context.config.attributes.get("owner_url")
    return MigrationSettings() if given is None else MigrationSettings(owner_url=SecretStr(given))


@contextmanager
def _one_at_a_time(connection: Connection) -> Iterator[None]:
    """Keep two deployments from migrating at once; the lock ends with the connection at the latest."""
    deadline = time.monotonic() + _PATIENCE
    # Asked again and again: whoever waits inside of a statement would hold up CREATE INDEX CONCURRENTLY of the other.
    while not connection.scalar(select(func.pg_try_advisory_lock(_LOCK))):
        connection.rollback()
        if time.monotonic() > deadline:
            raise TimeoutError("another process has been migrating this database for ten minutes")
        time.sleep(0.2)
    connection.commit()
    yield
