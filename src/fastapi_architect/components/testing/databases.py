"""Databases of a test's own, made in milliseconds: copies of one that holds the tables already."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, make_url, pool

from ..database.privileges import grant_to_application
from ..database.roles import Login, prepare_role
from .servers import scratch_database

OWNER = "component_owner"
APPLICATION = "component_application"


class DatabaseTemplates:
    """Makes each kind of database once in a test run, and copies of it for the tests.

    Args:
        superuser_url: of the server.
        owner: the role that owns databases and tables.
        application: the role of the service.
    """

    def __init__(self, superuser_url: str, owner: str = OWNER, application: str = APPLICATION) -> None:
        self.superuser_url = superuser_url
        self.owner = _login(superuser_url, owner)
        self.application = _login(superuser_url, application)
        self._names: dict[object, str] = {}
        self._stack = ExitStack()
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            # Another test run may make the same roles on a server that both were given.
            connection.execute("SELECT pg_advisory_lock(7260531079)")
            for login in (self.owner, self.application):
                prepare_role(connection, login)

    def close(self) -> None:
        """Drop the templates."""
        self._stack.close()

    @contextmanager
    def copy(self, kind: object, fill: Callable[[str], None]) -> Iterator[str]:
        """Yield the URL of a superuser on a new database.

        Args:
            kind: databases of an equal kind are copies of the same one.
            fill: makes the first one; gets the URL of its owner, for SQLAlchemy.
        """
        if kind not in self._names:
            url = self._stack.enter_context(scratch_database(self.superuser_url, owner=self.owner.role))
            fill(self.as_owner(url))
            self._names[kind] = make_url(url).database or ""
        with scratch_database(self.superuser_url, self._names[kind], self.owner.role) as url:
            yield url

    def as_owner(self, url: str) -> str:
        """Return the URL, for SQLAlchemy, of the role that owns the tables."""
        return _as(self.owner, url)

    def as_application(self, url: str) -> str:
        """Return the URL, for SQLAlchemy, of the role of the service."""
        return _as(self.application, url)

    def with_tables(self, metadata: MetaData) -> Callable[[str], None]:
        """Return what makes the tables of the metadata, as a first and only migration would."""

        def fill(owner_url: str) -> None:
            run_operations(owner_url, lambda op: grant_to_application(op, self.application.role))
            engine = create_engine(owner_url, poolclass=pool.NullPool)
            metadata.create_all(engine)

        return fill


def run_operations(owner_url: str, *functions: Callable[[Operations], object]) -> None:
    """Call functions of a component's `migrations.py` on a database, each in a transaction of its own.

    Args:
        owner_url: for SQLAlchemy, of the role that is to own the tables.
        functions: each gets Alembic's operations.
    """
    engine = create_engine(owner_url, poolclass=pool.NullPool)
    for function in functions:
        with engine.begin() as connection:
            function(Operations(MigrationContext.configure(connection)))


def upgrade_to_head(config: Config, owner_url: str) -> None:
    """Run a project's revisions."""
    config.attributes["owner_url"] = owner_url
    command.upgrade(config, "head")


def schema_differences(url: str, metadata: MetaData) -> list[str]:
    """Return what the models say and the tables do not, or the other way round; an empty list is right.

    Args:
        url: for SQLAlchemy, of a database that was made by migrations.
        metadata: of the models. Tables that it does not know are left out.
    """
    engine = create_engine(url, poolclass=pool.NullPool)

    def is_ours(entity: Any, name: str | None, kind: str, *rest: object) -> bool:
        return kind != "table" or name in metadata.tables

    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": is_ours}
        context = MigrationContext.configure(connection, opts=options)
        return [repr(difference) for difference in compare_metadata(context, metadata)]


def _login(superuser_url: str, role: str) -> Login:
    # A server that asks for passwords gets one that every test run on it knows, and nobody else.
    if not make_url(superuser_url).password:
        return Login(role)
    return Login(role, hashlib.sha256(f"{superuser_url} {role}".encode()).hexdigest())


def _as(login: Login, url: str) -> str:
    changed = make_url(url).set(
        drivername="postgresql+psycopg", username=login.role, password=login.password or None
    )
    return changed.render_as_string(hide_password=False)
