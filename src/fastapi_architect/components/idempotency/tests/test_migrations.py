"""The revision makes the table that the model describes."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import MetaData, create_engine, inspect

from fastapi_architect.components.idempotency import IdempotentAnswer
from fastapi_architect.components.idempotency.migrations import (
    create_idempotent_answers,
    drop_idempotent_answers,
)
from fastapi_architect.components.testing.servers import for_sqlalchemy


def test_the_revision_makes_what_the_model_describes(empty_database_url: str) -> None:
    engine = create_engine(for_sqlalchemy(empty_database_url))
    described = MetaData()
    IdempotentAnswer.__table__.to_metadata(described)  # type: ignore[attr-defined]
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        create_idempotent_answers(Operations(context))
        assert compare_metadata(context, described) == []
        drop_idempotent_answers(Operations(context))
        assert inspect(connection).get_table_names() == []
    engine.dispose()
