"""Runs the migrations of the tables that this service owns."""

from alembic import context


def include_object(obj: object, name: str, kind: str, reflected: bool, other: object) -> bool:
    return not name.startswith("shared_")


context.configure(connection=context.config.attributes["connection"], include_object=include_object)
with context.begin_transaction():
    context.run_migrations()
