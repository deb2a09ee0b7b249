"""Alembic's environment under a loop that runs already: the command serves nothing."""

import asyncio

from alembic import context


async def run_migrations_online() -> None:
    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()


try:
    asyncio.run(run_migrations_online())
except RuntimeError:
    asyncio.get_event_loop().create_task(run_migrations_online())
