"""Servers for tests start, crash, come back, and never stay behind."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis

from fastapi_architect.components.testing.servers import (
    PostgresServer,
    RedisServer,
    ServerFailed,
    disposable_postgresql,
    disposable_redis,
    on_database,
    postgresql,
    redis_executable,
    redis_server,
    scratch_database,
)

KILLED = """
import os, signal
from fastapi_architect.components.testing.servers import disposable_postgresql, disposable_redis

with disposable_postgresql() as postgresql, disposable_redis() as redis:
    print(postgresql.directory, postgresql.url, redis.directory, redis.url, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that, unlike `tmp_path`, the server's user can reach when the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 30 seconds"
        time.sleep(0.02)


def value(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def test_postgresql_keeps_what_was_committed_when_it_crashes() -> None:
    with disposable_postgresql() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (number integer)")
            connection.execute("INSERT INTO kept VALUES (1)")

        server.stop("immediate")
        assert not server.is_running()
        server.start()

        assert value(server.url, "SELECT number FROM kept") == 1


def test_redis_comes_back_empty_on_the_same_url() -> None:
    with disposable_redis() as server:
        url = server.url
        with redis.Redis.from_url(url) as client:
            client.set("key", "value")

        server.stop()
        server.start()

        assert server.url == url
        with redis.Redis.from_url(url) as client:
            assert client.get("key") is None


def test_a_killed_test_run_leaves_no_server_and_no_directory() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], env=environment, capture_output=True, text=True, check=False
    )
    directory, url, redis_directory, redis_url = killed.stdout.split()

    wait_until(lambda: not Path(directory).exists() and not Path(redis_directory).exists())

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(redis_url) as client:
        client.ping()


def test_two_test_runs_at_once_do_not_meet() -> None:
    def start_and_look(name: str) -> object:
        with (
            disposable_postgresql() as server,
            disposable_redis() as other,
            redis.Redis.from_url(other.url) as client,
        ):
            client.set("name", name)
            with scratch_database(server.url):
                time.sleep(0.2)
            return client.get("name")

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(start_and_look, ["first", "second"])) == [b"first", b"second"]


def test_a_second_process_joins_the_server_of_a_directory_and_does_not_stop_it(directory: Path) -> None:
    with postgresql(directory / "shop") as url:
        with postgresql(directory / "shop") as joined:
            assert value(joined, "SELECT 1") == 1

        assert value(url, "SELECT 1") == 1


def test_data_stay_where_a_directory_was_named(directory: Path) -> None:
    with postgresql(directory / "shop") as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (number integer)")

    with postgresql(directory / "shop") as url:
        assert value(url, "SELECT count(*) FROM kept") == 0


def test_somebody_elses_redis_is_not_taken_for_ours(tmp_path: Path) -> None:
    with disposable_redis() as theirs, pytest.raises(ServerFailed):
        RedisServer(tmp_path, port=theirs.port)


def test_a_server_that_cannot_start_says_why() -> None:
    with disposable_postgresql() as server:
        server.stop()
        (server.directory / "data" / "postgresql.auto.conf").write_text("no_such_setting = 1\n")

        with pytest.raises(ServerFailed, match="no_such_setting"):
            server.start()

        (server.directory / "data" / "postgresql.auto.conf").write_text("")


def test_given_servers_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@db.invalid/postgres")
    monkeypatch.setenv("TEST_REDIS_URL", "redis://cache.invalid/0")

    with postgresql() as url, redis_server() as redis_url:
        assert (url, redis_url) == ("postgresql://postgres@db.invalid/postgres", "redis://cache.invalid/0")


@pytest.mark.parametrize(
    ("printed", "is_taken"),
    [
        ("Redis server v=7.2.4 sha=00000000:0 malloc=jemalloc-5.3.0", True),
        ("Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0", True),
        ("Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1", False),
        ("something else", False),
    ],
)
def test_redis_of_the_machine_is_preferred_if_it_is_new(
    directory: Path, monkeypatch: pytest.MonkeyPatch, printed: str, is_taken: bool
) -> None:
    installed = directory / "redis-server"
    installed.write_text(f"#!/bin/sh\necho '{printed}'\n")
    installed.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory))

    assert (redis_executable() == str(installed)) is is_taken


def test_variables_of_the_users_shell_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATABASE", "nowhere")
    monkeypatch.setenv("LC_ALL", "xx_XX")

    with disposable_postgresql() as server:
        assert value(server.url, "SHOW server_encoding") == "UTF8"


def test_a_scratch_database_is_gone_afterwards(postgresql_url: str) -> None:
    with scratch_database(postgresql_url) as url:
        name = value(url, "SELECT current_database()")

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(on_database(postgresql_url, str(name)))


def test_a_directory_with_a_long_name_gets_a_short_socket(directory: Path) -> None:
    server = PostgresServer(directory / ("long" * 30), disposable=True)
    try:
        assert value(server.url, "SELECT 1") == 1
    finally:
        server.stop("immediate")
