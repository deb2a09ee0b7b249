"""The migration makes the tables that the models describe, and takes them away again."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, inspect

from fastapi_architect.components.outbox.migrations import (
    add_lanes,
    create_outbox,
    drop_lanes,
    drop_outbox,
)
from fastapi_architect.components.outbox.models import OutboxEvent
from fastapi_architect.components.testing.servers import for_sqlalchemy

TABLES = {"outbox_events", "outbox_schedule", "outbox_fan_ins"}


def test_it_makes_what_the_models_describe(empty_database_url: str) -> None:
    engine = create_engine(for_sqlalchemy(empty_database_url))
    with engine.connect() as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or name in TABLES}
        context = MigrationContext.configure(connection, opts=options)
        with context.begin_transaction():
            create_outbox(Operations(context))
            add_lanes(Operations(context))
            add_lanes(Operations(context))  # again, as after a run that was cut off in the middle

        differences = compare_metadata(context, OutboxEvent.metadata)
        assert [found for found in differences if "outbox" in str(found)] == []

        drop_lanes(Operations(context))
        drop_outbox(Operations(context))
        assert inspect(connection).get_table_names() == []
    engine.dispose()
