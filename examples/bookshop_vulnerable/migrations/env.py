"""How Alembic reaches the database and the models."""

from alembic import context
from app.core.config import settings
from app.models import Base
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool


def run_migrations() -> None:
    """Bring the database to the wanted revision, one transaction a revision."""
    engine = create_engine(settings.database_url, poolclass=NullPool, connect_args=settings.database_connect_args)
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=Base.metadata, compare_type=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
