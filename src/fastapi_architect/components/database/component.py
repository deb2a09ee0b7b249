"""The engines of a process and the sessions they make."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from ..service import Component
from .settings import DatabaseSettings
from .unit_of_work import ServiceSession, WorkerSession


class Database(Component):
    """One engine and one maker of sessions; it connects on first use.

    Args:
        settings: where the database is and how much of it a process may hold.
        engine_options: for `create_async_engine` and `create_engine`, over the ones that are set here;
            what it says of `connect_args` is added to what stands here.
    """

    def __init__(self, settings: DatabaseSettings, *, engine_options: dict[str, Any] | None = None) -> None:
        self.settings = settings
        given = engine_options or {}
        options = _engine_options(settings)
        connect_args = options["connect_args"] | given.get("connect_args", {})
        self._options = options | given | {"connect_args": connect_args}
        self.engine = create_async_engine(settings.url.get_secret_value(), **self._options)
        #: Rows stay readable after a commit, because lazy loading cannot await.
        self.sessions: async_sessionmaker[AsyncSession] = async_sessionmaker(
            self.engine, class_=ServiceSession, expire_on_commit=False
        )

    @cached_property
    def sync_engine(self) -> Engine:
        """The engine of a worker process, which is synchronous; made when it is first asked for, after the fork."""
        return create_engine(self.settings.url.get_secret_value(), **self._options)

    @cached_property
    def sync_sessions(self) -> sessionmaker[Session]:
        """The maker of sessions of a worker process."""
        return sessionmaker(self.sync_engine, class_=WorkerSession, expire_on_commit=False)

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Close the pools at the end."""
        try:
            yield
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the pools, for whoever made it and runs it in no application."""
        await self.engine.dispose()
        if "sync_engine" in vars(self):
            self.sync_engine.dispose()

    async def check(self) -> None:
        """Ask the database for an answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


def _engine_options(settings: DatabaseSettings) -> dict[str, Any]:
    limits = {
        "statement_timeout": settings.statement_timeout,
        "lock_timeout": settings.lock_timeout,
        "idle_in_transaction_session_timeout": settings.idle_in_transaction_timeout,
    }
    return {
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
        "pool_timeout": settings.pool_timeout,
        # A connection that died in the pool is replaced before a request gets it.
        "pool_pre_ping": True,
        "pool_recycle": 1800,
        "pool_use_lifo": True,
        # What people typed stays out of error messages and logs.
        "hide_parameters": True,
        "connect_args": {
            "connect_timeout": settings.connect_timeout,
            "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
            # A peer that vanished without a word is noticed in seconds, not in the quarter of an hour of TCP.
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    }
