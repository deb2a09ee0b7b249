"""Runs the migrations, each statement in a transaction of its own."""

from alembic import context
from sqlalchemy import create_engine

engine = create_engine("postgresql+psycopg://localhost/shop", isolation_level="AUTOCOMMIT")
with engine.connect() as connection:
    context.configure(connection=connection)
    context.run_migrations()
