"""What it costs that archives lie in PostgreSQL and not in a directory: `python benchmarks/secapi/archives.py`.

An archive of 200 MB goes over HTTP into `architect serve api`, is read as a worker reads it, and is deleted; the storages take
turns. CPU (user and system) of the API, of the reader and of all processes of PostgreSQL, which syncs to the disk; bytes of
write-ahead log, and what the tables hold in the end. The disk is that of the temporary folder.

With --slow: a client sends 200 MB at 1 MB/s while others drip, and a normal client asks all the time: is the upload taken, are
those who drip let go within their limits, and how do the times of the normal client compare with a quiet service's?
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import http.client
import io
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from benchmarks.secapi.run import EMAIL, ask, sign_in  # noqa: E402
from measure import children_of, machine  # noqa: E402
from sqlalchemy import Engine, create_engine, text  # noqa: E402
from uuid_utils.compat import uuid7  # noqa: E402

from fastapi_architect.components.service import component_in  # noqa: E402
from fastapi_architect.components.testing.servers import free_port  # noqa: E402
from fastapi_architect.components.uploads import Storage, Uploads  # noqa: E402
from fastapi_architect.secapi.registry import components  # noqa: E402
from fastapi_architect.secapi.serving import installation  # noqa: E402

MEGABYTE = 1_000_000
#: Of SecAPI: seconds until a header has to be complete, and for which a body may drip.
HEADER_SECONDS, BODY_SECONDS = 15.0, 10.0
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=199)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow", action="store_true", help="an upload at 1 MB/s among clients that drip")
    options = parser.parse_args()
    archive = packed(options.megabytes * MEGABYTE)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        bench = Bench.prepare(Path(folder), stack)
        if options.slow:
            return slow(bench, archive)
        rounds: dict[str, list[Cost]] = {"directory": [], "database": []}
        for _ in range(options.rounds):
            for name, costs in rounds.items():
                costs.append(bench.measure(name, archive))
        report(rounds, bench, options.megabytes)
    return 0


def packed(size: int) -> bytes:
    """A ZIP archive of about so many bytes that cannot be compressed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        target.writestr("main.py", secrets.token_bytes(size))
    return made.getvalue()


def cpu_of(process: int) -> float:
    """Seconds of CPU of a process, with those of its children that have ended."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
        return sum(map(int, words[11:15])) / _TICKS
    return 0.0


@dataclass(frozen=True)
class Step:
    """What one step took, in seconds, and the bytes of log that PostgreSQL wrote for it."""

    wall: float
    api: float
    reader: float
    postgresql: float
    log: int

    def __str__(self) -> str:
        cpu = f"CPU: API {self.api:5.2f}, client or reader {self.reader:5.2f}, PostgreSQL {self.postgresql:5.2f}"
        return f"{self.wall:6.2f} s   {cpu}   log {self.log / MEGABYTE:6.1f} MB"


@dataclass(frozen=True)
class Cost:
    """What an archive cost from its arrival to its end."""

    upload: Step
    read: Step
    delete: Step


@dataclass
class Bench:
    """An installation whose API is started with one storage after the other."""

    folder: Path
    environment: Mapping[str, str]
    owner: Engine
    password: str
    postmaster: int
    _has_own_password: bool = False

    @classmethod
    def prepare(cls, folder: Path, stack: contextlib.ExitStack) -> Bench:
        """Install SecAPI."""
        given = {**os.environ, "RATE_LIMIT_DEFAULT": "1000000/second", "LOG_FORMAT": "json", "LOG_LEVEL": "WARNING",
                 "ENV_FILE": "", "SERVE_DRAIN_SECONDS": "0"}  # fmt: skip
        environment = installation.environment(folder, stack, given)
        os.environ.update(environment)
        installation.migrate()
        password = installation.make_administrator(EMAIL, "Bench") or ""
        owner = create_engine(environment["DATABASE_OWNER_URL"], isolation_level="AUTOCOMMIT")
        stack.callback(owner.dispose)
        with owner.connect() as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        status = Path(f"/proc/{backend}/stat").read_text("ascii").rpartition(")")[2].split()
        return cls(folder, environment, owner, password, postmaster=int(status[1]))

    def settings(self, storage: str) -> dict[str, str]:
        """Return the environment in which the API and a worker use a storage."""
        where = {"UPLOADS_DIRECTORY": str(self.folder / "archives")} if storage == "directory" else {}
        return {**self.environment, **where}

    @contextlib.contextmanager
    def api(self, storage: str) -> Iterator[tuple[int, int]]:
        """Run the API as production does; give its process and its port."""
        port = free_port()
        command = [sys.executable, "-m", "fastapi_architect", "serve", "api", "--port", str(port)]
        process = subprocess.Popen(command, env=self.settings(storage))
        try:
            while get(port, "/health/ready") != 200:
                if process.poll() is not None:
                    raise SystemExit("the API does not start")
                time.sleep(0.1)
            yield process.pid, port
        finally:
            process.terminate()
            process.wait(60)

    def caller(self, port: int) -> dict[str, str]:
        """Sign in, the first time with another password in the place of the one that was printed."""
        url = f"http://127.0.0.1:{port}/api/v1"
        own = f"{self.password} of its own"
        if not self._has_own_password:
            body = {"present_password": self.password, "password": own}
            ask(f"{url}/me/password", body, sign_in(url, self.password), method="PUT")
            self._has_own_password = True
        return sign_in(url, own)

    def storage(self, name: str) -> Storage:
        """Return the storage as a worker has it."""
        os.environ.pop("UPLOADS_DIRECTORY", None)
        os.environ.update(self.settings(name))
        return component_in(components(), Uploads).storage

    def measure(self, name: str, archive: bytes) -> Cost:
        """Let an archive come, be read and go."""
        with self.api(name) as (process, port):
            headers = self.caller(port)
            headers |= {"X-Organisation-ID": self.ask_sql("SELECT id::text FROM organisations")}
            uploaded = self.step(process, lambda: put(port, headers, archive))
            key = self.ask_sql("SELECT storage_key FROM uploads ORDER BY id DESC LIMIT 1")
            storage = self.storage(name)
            digests: list[str] = []
            read = self.step(process, lambda: digests.append(asyncio.run(fetch(storage, key, self.folder))))
            if digests != [hashlib.sha256(archive).hexdigest()]:
                raise SystemExit("another archive came out than went in")
            deleted = self.step(process, lambda: asyncio.run(storage.delete(key)))
            with self.owner.connect() as connection:
                connection.execute(text("DELETE FROM uploads"))
        return Cost(uploaded, read, deleted)

    def ask_sql(self, statement: str) -> Any:
        """Ask as the owner of the tables."""
        with self.owner.connect() as connection:
            return connection.execute(text(statement)).scalar_one()

    def step(self, process: int, work: Callable[[], object]) -> Step:
        """Do something, and say what it took."""
        servers = [self.postmaster, *children_of(self.postmaster)]
        before = (cpu_of(process), time.process_time(), {each: cpu_of(each) for each in servers})
        log = self.ask_sql("SELECT pg_current_wal_insert_lsn()::text")
        began = time.perf_counter()
        work()
        wall = time.perf_counter() - began
        written = self.ask_sql(f"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{log}')::bigint")
        now = {each: cpu_of(each) for each in [self.postmaster, *children_of(self.postmaster)]}
        postgresql = sum(cpu - before[2].get(each, 0.0) for each, cpu in now.items())
        return Step(wall, cpu_of(process) - before[0], time.process_time() - before[1], postgresql, written)


async def fetch(storage: Storage, key: str, folder: Path) -> str:
    """Copy a file out of the storage, as a worker does, and return its digest."""
    seen = hashlib.sha256()
    async with storage.read(key) as chunks:
        with (folder / "fetched").open("wb") as target:
            async for chunk in chunks:
                seen.update(chunk)
                target.write(chunk)
    return seen.hexdigest()


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> int:
    """The status of an answer; 0: there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", path, headers=dict(headers or {}))
        return connection.getresponse().status
    return 0


def put(port: int, headers: Mapping[str, str], archive: bytes, bytes_per_second: float = 0.0) -> None:
    """Upload an archive, not faster than that."""
    digest = base64.b64encode(hashlib.sha256(archive).digest()).decode()
    path = f"/api/v1/uploads/{uuid7()}?name=backend.zip"
    sent = {**headers, "Content-Type": "application/zip", "Content-Digest": f"sha-256=:{digest}:"}

    def pieces() -> Iterator[bytes]:
        began, size = time.monotonic(), 65_536
        for place in range(0, len(archive), size):
            if bytes_per_second:
                time.sleep(max(0.0, began + place / bytes_per_second - time.monotonic()))
            yield archive[place : place + size]

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with contextlib.closing(connection):
        connection.request("PUT", path, pieces(), {**sent, "Content-Length": str(len(archive))})
        answer = connection.getresponse()
        if answer.status != 201:
            raise SystemExit(f"the archive was refused: {answer.status} {answer.read()[:500]!r}")


def slow(bench: Bench, archive: bytes) -> int:
    """Print whether a slow upload is taken while those who drip are let go and others are served."""
    with bench.api("database") as (_, port):
        headers = bench.caller(port)
        headers["X-Organisation-ID"] = bench.ask_sql("SELECT id::text FROM organisations")
        quiet = times_of(port, headers, threading.Event(), 20.0)
        over = threading.Event()
        let_go: dict[str, float] = {}
        busy: list[float] = []
        others = [
            *(threading.Thread(target=drip, args=(port, kind, over, let_go)) for kind in ("header", "body")),
            threading.Thread(target=lambda: busy.extend(times_of(port, headers, over, float("inf")))),
        ]
        for each in others:
            each.start()
        began = time.monotonic()
        put(port, headers, archive, MEGABYTE)
        took = time.monotonic() - began
        over.set()
        for each in others:
            each.join()
    rank = p99(busy) / p99(quiet)
    print(f"{len(archive) / MEGABYTE:.0f} MB at 1 MB/s: taken after {took:.0f} s")
    for kind, limit in (("header", HEADER_SECONDS), ("body", BODY_SECONDS)):
        print(
            f"a {kind} that drips is let go after {let_go.get(kind, float('nan')):.1f} s (limit {limit:.0f})"
        )
    print(
        f"a normal client: p99 {p99(quiet) * 1e3:.1f} ms alone, {p99(busy) * 1e3:.1f} ms beside them "
        f"({rank:.2f}x, the bar is 2), medians {statistics.median(quiet) * 1e3:.1f} and {statistics.median(busy) * 1e3:.1f} ms"
    )
    print(machine())
    return 0 if rank < 2 and set(let_go) == {"header", "body"} else 1


def p99(times: list[float]) -> float:
    """The time that one of a hundred requests exceeds."""
    return statistics.quantiles(times, n=100)[-1]


def times_of(port: int, headers: Mapping[str, str], over: threading.Event, seconds: float) -> list[float]:
    """Ask ten times a second, and return how long the answers took."""
    found = []
    end = time.monotonic() + seconds
    while not over.wait(0.1) and time.monotonic() < end:
        began = time.perf_counter()
        if get(port, "/api/v1/projects", headers) != 200:
            raise SystemExit("a normal client was not served")
        found.append(time.perf_counter() - began)
    return found


def drip(port: int, kind: str, over: threading.Event, let_go: dict[str, float]) -> None:
    """Send a byte now and then, until the server has had enough."""
    start = {
        "header": b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n",
        "body": b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100000\r\n\r\n{",
    }[kind]
    began = time.monotonic()
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(start)
        connection.settimeout(0.5)
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                # An answer or the end: both mean that the server no longer listens.
                connection.recv(65_536)
                break
            connection.sendall(b"X-A: b\r\n" if kind == "header" else b" ")
    if not over.is_set():
        let_go[kind] = time.monotonic() - began


def report(rounds: Mapping[str, list[Cost]], bench: Bench, megabytes: int) -> None:
    """Print the round of the median time of each storage and step."""
    for name, costs in rounds.items():
        for step in ("upload", "read", "delete"):
            middle = sorted((getattr(cost, step) for cost in costs), key=lambda each: each.wall)[
                len(costs) // 2
            ]
            print(f"{name:10} {step:7} {middle}")
    size = "SELECT pg_size_pretty(pg_total_relation_size('stored_chunks'))"
    before = bench.ask_sql(size)
    with bench.owner.connect() as connection:
        connection.execute(text("VACUUM stored_chunks"))
    print(
        f"{len(rounds['database'])} archives of {megabytes} MB came and went: the table held {before}, "
        f"after a vacuum {bench.ask_sql(size)}"
    )
    print(machine())


if __name__ == "__main__":
    sys.exit(main())
