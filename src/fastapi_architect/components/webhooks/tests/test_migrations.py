"""The migration makes the tables that the models describe, and takes them away again."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, inspect

from fastapi_architect.components.testing.servers import for_sqlalchemy
from fastapi_architect.components.webhooks import protect_webhooks, unprotect_webhooks
from fastapi_architect.components.webhooks.migrations import create_webhooks, drop_webhooks
from fastapi_architect.components.webhooks.models import WebhookEndpoint

TABLES = {"webhook_endpoints", "webhook_messages", "webhook_deliveries", "webhook_attempts"}


def test_it_makes_what_the_models_describe(empty_database_url: str) -> None:
    engine = create_engine(for_sqlalchemy(empty_database_url))
    with engine.begin() as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or name in TABLES}
        context = MigrationContext.configure(connection, opts=options)
        create_webhooks(Operations(context))

        differences = compare_metadata(context, WebhookEndpoint.metadata)
        assert [found for found in differences if "webhook" in str(found)] == []

        # The second wall can be put up and taken down again.
        protect_webhooks(Operations(context))
        unprotect_webhooks(Operations(context))
        drop_webhooks(Operations(context))
        assert inspect(connection).get_table_names() == []
    engine.dispose()
