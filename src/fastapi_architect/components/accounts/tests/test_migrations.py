"""The migration makes the tables that the models describe, and takes them away again."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, inspect

from fastapi_architect.components.accounts.migrations import (
    add_initial_passwords,
    create_accounts,
    drop_accounts,
    drop_initial_passwords,
)
from fastapi_architect.components.accounts.models import Account, AccountSession, Attempts, MailedToken
from fastapi_architect.components.testing.servers import for_sqlalchemy

TABLES = {model.__tablename__ for model in (Account, AccountSession, Attempts, MailedToken)}


def test_it_makes_what_the_models_describe(empty_database_url: str) -> None:
    engine = create_engine(for_sqlalchemy(empty_database_url))
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        create_accounts(Operations(context))
        add_initial_passwords(Operations(context))

        assert set(inspect(connection).get_table_names()) == TABLES
        differences = compare_metadata(context, Account.metadata)
        assert [found for found in differences if _concerns_accounts(found)] == []

        drop_initial_passwords(Operations(context))
        drop_accounts(Operations(context))
        assert inspect(connection).get_table_names() == []
    engine.dispose()


def _concerns_accounts(difference: object) -> bool:
    """Other components' tables are known to the metadata too, and are not in this database."""
    if isinstance(difference, tuple) and difference[0] == "add_table":
        return difference[1].name in TABLES
    text = str(difference)
    return any(f"'{table}'" in text for table in TABLES)
