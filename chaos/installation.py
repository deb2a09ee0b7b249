"""Real servers and the processes of SecAPI, each of which can be killed, frozen and started again."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import make_url

from chaos import system
from fastapi_architect.components.testing.servers import PostgresServer, RedisServer, free_port
from fastapi_architect.secapi.migrating import APPLICATION, OWNER
from fastapi_architect.secapi.serving import installation

ORGANISATIONS = ("Acme", "Bolt", "Crane")
DATABASE = "secapi"
#: Shorter than in production, as the run is: what takes half a minute there takes seconds here.
PATIENCE = {
    "OUTBOX_LEASE": "5",
    "OUTBOX_POLL_INTERVAL": "0.1",
    "OUTBOX_PUBLISH_AGAIN_AFTER": "4",
    "OUTBOX_AGING": "10",
    "SECAPI_SCAN_SECONDS": "40",
    "SERVE_DRAIN_SECONDS": "1",
    "ACCOUNTS_ACCESS_MINUTES": "60",
    "RATE_LIMIT_DEFAULT": "1000000/minute",
    "LOG_LEVEL": "WARNING",
    "LOG_FORMAT": "console",
}


#: What `architect serve migrate` and `architect serve create-admin` do, in one process.
_PREPARE = """
import sys
from fastapi_architect.secapi.serving import installation
installation.migrate()
for name in sys.argv[1:]:
    email = f"{name.lower()}@example.com"
    print(email, installation.make_administrator(email, name))
"""


class Process:
    """One process of SecAPI, with its log.

    Args:
        name: for people.
        command: the program and its arguments.
        environment: of the process.
        log: where what it prints goes.
    """

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._command = command
        self._environment = dict(environment)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def id(self) -> int | None:
        """Its number, while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.id is not None:
            return
        self.starts += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def log_tail(self) -> str:
        """Return the end of what it has printed."""
        return self._log.read_text(errors="replace")[-2000:]

    def children(self) -> list[int]:
        """Processes that it started itself: those of a worker's pool."""
        return [] if self.id is None else system.children_of(self.id)

    def signal(self, number: int, *, tree: bool = False) -> None:
        """Send it a signal, or with all that stems from it."""
        if self.id is None:
            return
        for process_id in list(system.tree_of(self.id)) if tree else [self.id]:
            with suppress(ProcessLookupError):
                os.kill(process_id, number)
        if number == signal.SIGKILL and self._process is not None:
            self._process.wait(30)

    def end(self, patience: float = 60.0) -> bool:
        """Ask it to end; False: it had to be killed."""
        if self._process is None:
            return True
        with suppress(ProcessLookupError):
            self.signal(signal.SIGCONT, tree=True)
            self._process.terminate()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL, tree=True)
            return False
        return True


class Installation:
    """SecAPI on servers of its own. PostgreSQL syncs to the disk, Redis keeps nothing.

    Args:
        without: the name of a defence that is taken out (`without.py`).
        organisations: how many.
    """

    def __init__(self, without: str | None = None, organisations: int = len(ORGANISATIONS)) -> None:
        self._organisations = ORGANISATIONS[:organisations]
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        self.temporary = self.folder / "tmp"
        self._data = Path(tempfile.mkdtemp(prefix="chaos-postgresql-"))
        for name in ("tmp", "logs"):
            (self.folder / name).mkdir()
        self.postgresql = PostgresServer(self._data)
        self.redis = RedisServer(self.folder / "redis")
        url = make_url(self.postgresql.url).set(drivername="postgresql+psycopg", database=DATABASE)
        self.owner_url = url.set(username=OWNER).render_as_string(hide_password=False)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._without = without
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("TEST_", "PYTEST"))},
            **PATIENCE,
            "ENV_FILE": "",
            "ENVIRONMENT": "local",
            "TMPDIR": str(self.temporary),
            "DATABASE_URL": url.set(username=APPLICATION).render_as_string(hide_password=False),
            "DATABASE_OWNER_URL": self.owner_url,
            "REDIS_URL": self.redis.url,
            "CELERY_BROKER_URL": self.redis.url.removesuffix("/0") + "/1",
            "ACCOUNTS_SIGNING_KEY": secrets.token_urlsafe(48),
            "WEBHOOK_SIGNING_KEY": secrets.token_urlsafe(48),
            "MAIL_SENDER": "secapi@example.com",
            "ACCOUNTS_WEBSITE_URL": "http://localhost",
        }
        self.passwords: dict[str, str] = {}
        self.api: Process = self._process("api", "api", "--port", str(self.port))
        self.relay: Process | None = None
        self.workers: list[Process] = []

    def prepare(self) -> None:
        """Make the tables, and an administrator for each organisation."""
        installation.prepare(self.postgresql.url, self.owner_url, self.environment["DATABASE_URL"])
        done = subprocess.run(
            [sys.executable, "-c", _PREPARE, *self._organisations],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"the installation could not be prepared: {done.stderr[-2000:]}")
        self.passwords = dict(line.split() for line in done.stdout.splitlines())

    def run_queue(self, queue: str, workers: int = 2) -> None:
        """Start workers for a queue, and its relay where it has one; those of the last queue end first."""
        for process in self._of_queue():
            process.end()
        self.environment["SECAPI_QUEUE"] = queue
        self.relay = self._process(f"relay-{queue}", "relay") if queue == "celery" else None
        self.workers = [
            self._process(f"worker-{queue}-{number}", "worker", "--workers", "2") for number in range(workers)
        ]
        for process in self._of_queue():
            process.start()

    def processes(self) -> list[Process]:
        """Every process that shall run."""
        return [self.api, *self._of_queue()]

    def pool(self) -> list[int]:
        """The processes in which scans are worked on."""
        return [child for worker in self.workers for child in worker.children()]

    def wait_until_ready(self, patience: float = 60.0) -> None:
        """Wait until the API is ready.

        Raises:
            TimeoutError: it is not in time.
        """
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            self.api.start()
            with (
                suppress(urllib.error.URLError, ConnectionError, TimeoutError),
                urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as answer,
            ):
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise TimeoutError(f"the API is not ready; see {self.folder / 'logs'}")

    def connect(self) -> psycopg.Connection[TupleRow]:
        """Connect to the database as nobody's tenant: the superuser sees all rows.

        Raises:
            psycopg.OperationalError: the server does not answer for so long.
        """
        url = make_url(self.postgresql.url).set(database=DATABASE).render_as_string(hide_password=False)
        deadline = time.monotonic() + 20
        while True:
            try:
                return psycopg.connect(url, autocommit=True, connect_timeout=5)
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def stop(self) -> list[str]:
        """End everything; return the names of the processes that had to be killed."""
        killed = [process.name for process in [*reversed(self._of_queue()), self.api] if not process.end()]
        self.redis.stop()
        self.postgresql.stop("fast")
        return killed

    def clear(self) -> None:
        """Remove what it wrote."""
        for folder in (self.folder, self._data, self.postgresql.directory):
            shutil.rmtree(folder, ignore_errors=True)

    def _of_queue(self) -> list[Process]:
        return [*([self.relay] if self.relay is not None else []), *self.workers]

    def _process(self, name: str, *arguments: str) -> Process:
        return Process(
            name, [*self._program(), *arguments], self.environment, self.folder / "logs" / f"{name}.log"
        )

    def _program(self) -> list[str]:
        if self._without is None:
            return [sys.executable, "-m", "fastapi_architect", "serve"]
        return [sys.executable, "-m", "chaos.without", self._without, "serve"]


def private_folders(temporary: Path) -> Iterator[Path]:
    """Yield the folders in which archives lie open."""
    base = temporary / "fastapi-architect"
    yield from base.glob("*-*")
