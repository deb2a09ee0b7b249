"""How Alembic reaches the database. Each revision is its own transaction and waits for no lock for long."""

from alembic import context
from sqlalchemy import create_engine, pool

from app.models import Base
from app.settings import get_settings

LOCK_TIMEOUT = "-c lock_timeout=4000"


def run_offline() -> None:
    """Write the SQL instead of running it."""
    context.configure(
        url=get_settings().database_url.get_secret_value(),
        target_metadata=Base.metadata,
        literal_binds=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Run the migrations."""
    engine = create_engine(
        get_settings().database_url.get_secret_value(),
        poolclass=pool.NullPool,
        connect_args={"connect_timeout": 5, "options": LOCK_TIMEOUT},
    )
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
