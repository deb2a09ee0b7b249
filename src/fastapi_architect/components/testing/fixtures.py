"""Fixtures on real servers. A conftest takes them all: `from ....testing.fixtures import *`."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import redis
from alembic.config import Config
from pydantic import SecretStr

from ..database import Base, Database, DatabaseSettings
from ..service import Environment
from .databases import DatabaseTemplates, upgrade_to_head
from .servers import (
    PostgresServer,
    RedisServer,
    disposable_postgresql,
    disposable_redis,
    postgresql,
    redis_server,
    scratch_database,
)

__all__ = [
    "alembic_config",
    "anyio_backend",
    "database",
    "database_templates",
    "database_url",
    "empty_database_url",
    "migrated_database_url",
    "owner_database_url",
    "postgresql_url",
    "redis_pool",
    "redis_server_url",
    "redis_url",
    "restartable_postgresql",
    "restartable_redis",
    "superuser_database_url",
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


@pytest.fixture(scope="session")
def database_templates(postgresql_url: str) -> Iterator[DatabaseTemplates]:
    """What databases of this run are copied from."""
    templates = DatabaseTemplates(postgresql_url)
    try:
        yield templates
    finally:
        templates.close()


@pytest.fixture
def superuser_database_url(database_templates: DatabaseTemplates) -> Iterator[str]:
    """The URL of a superuser on a database of this test's own that holds every table known by now."""
    with database_templates.copy(
        frozenset(Base.metadata.tables), database_templates.with_tables(Base.metadata)
    ) as url:
        yield url


@pytest.fixture
def owner_database_url(superuser_database_url: str, database_templates: DatabaseTemplates) -> str:
    """The URL, for SQLAlchemy, of the role that owns the tables of this test's database."""
    return database_templates.as_owner(superuser_database_url)


@pytest.fixture
def database_url(superuser_database_url: str, database_templates: DatabaseTemplates) -> str:
    """The URL, for SQLAlchemy, of the service's role on this test's database: as in production, it owns nothing."""
    return database_templates.as_application(superuser_database_url)


@pytest.fixture(scope="session")
def alembic_config(request: pytest.FixtureRequest) -> Config:
    """The configuration of the project's migrations: `alembic.ini`, or `pyproject.toml` where there is none."""
    root = request.config.rootpath
    ini = root / "alembic.ini"
    return Config(ini) if ini.exists() else Config(toml_file=root / "pyproject.toml")


@pytest.fixture
def migrated_database_url(alembic_config: Config, database_templates: DatabaseTemplates) -> Iterator[str]:
    """The URL, for SQLAlchemy, of the service's role on a database of this test's own, made by the project's revisions."""
    with database_templates.copy("migrated", lambda url: upgrade_to_head(alembic_config, url)) as url:
        yield database_templates.as_application(url)


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
