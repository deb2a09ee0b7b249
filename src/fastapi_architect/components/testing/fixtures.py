"""Fixtures on real servers. A conftest takes them all: `from ....testing.fixtures import *`."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import create_engine

from ..database import Base, Database, DatabaseSettings
from ..service import Environment
from .servers import (
    PostgresServer,
    RedisServer,
    disposable_postgresql,
    disposable_redis,
    for_sqlalchemy,
    postgresql,
    redis_server,
    scratch_database,
)

__all__ = [
    "anyio_backend",
    "database",
    "database_url",
    "empty_database_url",
    "postgresql_url",
    "redis_pool",
    "redis_server_url",
    "redis_url",
    "restartable_postgresql",
    "restartable_redis",
]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The URL of a superuser of a real server, one for the whole run."""
    with postgresql() as url:
        yield url


@pytest.fixture
def restartable_postgresql() -> Iterator[PostgresServer]:
    """A server of this test's own, which it may stop and start."""
    with disposable_postgresql() as server:
        yield server


@pytest.fixture
def empty_database_url(postgresql_url: str) -> Iterator[str]:
    """The URL of a superuser on an empty database of this test's own."""
    with scratch_database(postgresql_url) as url:
        yield url


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """The URL, for SQLAlchemy, of a database of this test's own that holds every table known by now."""
    url = for_sqlalchemy(empty_database_url)
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    return url


@pytest.fixture
def database(database_url: str) -> Database:
    """The database component on a database of this test's own; whoever runs it closes it."""
    return Database(DatabaseSettings(url=SecretStr(database_url), environment=Environment.LOCAL))


@pytest.fixture(scope="session")
def redis_server_url() -> Iterator[str]:
    """The URL of a real Redis, one for the whole run."""
    with redis_server() as url:
        yield url


@pytest.fixture
def restartable_redis() -> Iterator[RedisServer]:
    """A Redis of this test's own, which it may stop and start."""
    with disposable_redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """The URL of a Redis that holds nothing when the test begins."""
    with redis.Redis.from_url(redis_server_url) as client:
        client.flushdb()
    return redis_server_url


@pytest.fixture
def redis_pool(redis_url: str) -> Any:
    """The pool component on an empty Redis; whoever runs it closes it."""
    # By name, because a project that uses no Redis has these fixtures without that component.
    component = import_module("..redis_pool", __package__)
    # A busy machine is slower than a server: what is tested here is not the wait.
    settings = component.RedisSettings(url=SecretStr(redis_url), timeout=5, environment=Environment.LOCAL)
    return component.RedisPool(settings)
