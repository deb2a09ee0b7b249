"""The migration makes the table that the model describes, and takes it away again."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, inspect

from fastapi_architect.components.api_keys.migrations import create_api_keys, drop_api_keys
from fastapi_architect.components.api_keys.models import ApiKey
from fastapi_architect.components.testing.servers import for_sqlalchemy

TABLES = {ApiKey.__tablename__}


def test_it_makes_what_the_model_describes(empty_database_url: str) -> None:
    engine = create_engine(for_sqlalchemy(empty_database_url))
    with engine.begin() as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or name in TABLES}
        context = MigrationContext.configure(connection, opts=options)
        create_api_keys(Operations(context))

        differences = compare_metadata(context, ApiKey.metadata)
        assert [found for found in differences if "api_keys" in str(found)] == []

        drop_api_keys(Operations(context))
        assert inspect(connection).get_table_names() == []
    engine.dispose()
