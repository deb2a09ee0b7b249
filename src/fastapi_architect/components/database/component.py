"""The engine of a process and the sessions it makes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Annotated

from fastapi import FastAPI
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from ..service import Component, ComponentSettings


def _require_psycopg(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith("postgresql+psycopg://"):
        raise ValueError("begins with postgresql+psycopg:// (API, workers and migrations share this driver)")
    return url


class DatabaseSettings(ComponentSettings):
    """DATABASE_*: where the database is and how much of it a process may hold."""

    model_config = SettingsConfigDict(env_prefix="DATABASE_")

    #: The role of the application, which owns no table. Secret, because it may hold a password.
    url: Annotated[SecretStr, AfterValidator(_require_psycopg)]
    pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    max_overflow: Annotated[int, Field(ge=0, le=100)] = 5
    #: Seconds that a request waits for a connection before it is refused.
    pool_timeout: Annotated[float, Field(gt=0, le=60)] = 3.0
    #: Milliseconds after which PostgreSQL cancels a statement, a wait for a lock, a forgotten transaction.
    statement_timeout: Annotated[int, Field(ge=0)] = 5_000
    lock_timeout: Annotated[int, Field(ge=0)] = 2_000
    idle_in_transaction_timeout: Annotated[int, Field(ge=0)] = 15_000


class Database(Component):
    """One engine and one maker of sessions; it connects on first use."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self.settings = settings
        self.engine = create_async_engine(
            settings.url.get_secret_value(),
            pool_size=settings.pool_size,
            max_overflow=settings.max_overflow,
            pool_timeout=settings.pool_timeout,
            pool_pre_ping=True,
            pool_recycle=1800,
            pool_use_lifo=True,
            connect_args={"connect_timeout": 5, "options": _options(settings)},
        )
        #: Rows stay readable after a commit, because lazy loading cannot await.
        self.sessions: async_sessionmaker[AsyncSession] = async_sessionmaker(
            self.engine, expire_on_commit=False
        )

    @cached_property
    def sync_engine(self) -> Engine:
        """The engine of a worker process, which is synchronous; made when it is first asked for, after the fork."""
        return create_engine(
            self.settings.url.get_secret_value(),
            pool_size=self.settings.pool_size,
            max_overflow=self.settings.max_overflow,
            pool_timeout=self.settings.pool_timeout,
            pool_pre_ping=True,
            pool_recycle=1800,
            pool_use_lifo=True,
            connect_args={"connect_timeout": 5, "options": _options(self.settings)},
        )

    @cached_property
    def sync_sessions(self) -> sessionmaker[Session]:
        """The maker of sessions of a worker process."""
        return sessionmaker(self.sync_engine, expire_on_commit=False)

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Close the pool at the end."""
        try:
            yield
        finally:
            await self.engine.dispose()

    async def check(self) -> None:
        """Ask the database for an answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


def _options(settings: DatabaseSettings) -> str:
    limits = {
        "statement_timeout": settings.statement_timeout,
        "lock_timeout": settings.lock_timeout,
        "idle_in_transaction_session_timeout": settings.idle_in_transaction_timeout,
    }
    return " ".join(f"-c {name}={value}" for name, value in limits.items())
