"""`ChildProof`: what an exploit or symptom holds in its hands inside the disposable child."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from fastapi_architect.proving.canaries.blocking import Blocking
from fastapi_architect.proving.canaries.outbound import Outbound, OutboundRequest
from fastapi_architect.proving.canaries.records import Records
from fastapi_architect.proving.canaries.statements import Counted, Statements
from fastapi_architect.proving.sandbox import Output


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
        self._client: Any = None
        self._stack = ExitStack()
        self._planted: set[str] = set()

    def install(self) -> None:
        """Put the canaries in place; before the example is imported."""
        self._records.install()
        self._statements.install()
        self._outbound.install()
        self._blocking.install()
        self._planted |= set(self._all_files())

    def close(self) -> None:
        """End the application's lifespan and everything that was opened."""
        self._stack.close()

    # The example --------------------------------------------------------------------------------------------------

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
        """A test client of another application, or with other options of `starlette.testclient.TestClient`."""
        from starlette.testclient import TestClient

        options.setdefault("raise_server_exceptions", False)
        return self._stack.enter_context(TestClient(app, **options))

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

    # Files --------------------------------------------------------------------------------------------------------

    def plant(self, path: str, text: str) -> Path:
        """Write a canary file beside the example's folder: seen from the working directory it is `../path`."""
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
        """Files that the example has written, relative to its folder; those outside of it begin with `../`."""
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

    # Canaries -----------------------------------------------------------------------------------------------------

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
        """Say what outbound requests to addresses with this prefix are answered: status, text, json, headers, error."""
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
