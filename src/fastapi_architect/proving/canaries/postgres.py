"""A database of its own on a real PostgreSQL server, and what locks a migration takes there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi_architect.proving.canaries.migrations import migrated

_LOCKS = """
    SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.pid = %s AND l.granted AND n.nspname = 'public' ORDER BY 1, 2
"""


class Postgres:
    """One database, dropped when the proof ends.

    Args:
        server: address of the server's maintenance database.

    Attributes:
        url: SQLAlchemy address of this database, with psycopg.
    """

    def __init__(self, server: str) -> None:
        import psycopg
        from sqlalchemy.engine import make_url

        self._psycopg = psycopg
        self._server = server
        self._name = f"proof_{os.getpid()}_{os.urandom(4).hex()}"
        self._on_server(f'CREATE DATABASE "{self._name}"')
        url = make_url(server).set(drivername="postgresql+psycopg", database=self._name)
        self.url = url.render_as_string(hide_password=False)
        self._address = self.url.replace("postgresql+psycopg://", "postgresql://")

    def execute(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run and commit statements; returns the rows of the last, [] where it has none."""
        with self._psycopg.connect(self._address) as connection:
            cursor = connection.execute(sql, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    @contextmanager
    def migrating(self, path: str | Path, direction: str = "upgrade") -> Iterator[set[str]]:
        """Run a revision and hold its last transaction open.

        Yields:
            locks it holds on tables and indexes, as `accounts AccessExclusiveLock`.
        """
        from sqlalchemy import create_engine

        engine = create_engine(self.url)
        try:
            with engine.connect() as connection, migrated(connection, Path(path), direction):
                raw: Any = connection.connection.driver_connection
                rows = self.execute(_LOCKS, raw.info.backend_pid)
                yield {f"{table} {mode}" for table, mode in rows}
        finally:
            engine.dispose()

    def is_refused(self, sql: str, *parameters: Any) -> bool:
        """Whether another connection has to wait for a lock to run a statement, which is not committed.

        A lock that is held is held until the transaction ends, so the length of the wait does not matter.
        """
        with self._psycopg.connect(self._address) as connection:
            connection.execute("SET lock_timeout = '300ms'")
            try:
                connection.execute(sql, parameters or None)
            except self._psycopg.errors.LockNotAvailable:
                return True
            finally:
                connection.rollback()
        return False

    def drop(self) -> None:
        """Remove the database, whoever is still connected."""
        self._on_server(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')

    def _on_server(self, sql: str) -> None:
        with self._psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(sql)
