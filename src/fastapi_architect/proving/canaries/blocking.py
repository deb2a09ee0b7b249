"""Blocking functions that the example calls in a thread that runs an event loop.

While such a function runs, no other request of the process is served. What is recorded is the call itself,
so the answer does not depend on how long it took; `time.sleep` returns at once, so proofs are fast.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import io
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from fastapi_architect.proving.canaries.callers import called_by_example, on_event_loop

#: Blocking functions by the name under which they are reported: (module, attribute path).
_FUNCTIONS = (
    ("requests.sessions", "Session.request", "requests.request"),
    ("httpx", "Client.send", "httpx.Client.send"),
    ("urllib.request", "urlopen", "urllib.request.urlopen"),
    ("urllib3", "PoolManager.urlopen", "urllib3.PoolManager.urlopen"),
    ("smtplib", "SMTP.__init__", "smtplib.SMTP"),
    ("socket", "create_connection", "socket.create_connection"),
    ("subprocess", "Popen.wait", "subprocess.Popen.wait"),
    ("subprocess", "Popen.communicate", "subprocess.Popen.communicate"),
    ("os", "system", "os.system"),
    ("os", "popen", "os.popen"),
    ("os", "listdir", "os.listdir"),
    ("shutil", "copyfileobj", "shutil.copyfileobj"),
    ("shutil", "rmtree", "shutil.rmtree"),
    ("zipfile", "ZipFile.extractall", "zipfile.ZipFile.extractall"),
    ("psycopg", "Cursor.execute", "psycopg.Cursor.execute"),
    ("psycopg", "connect", "psycopg.connect"),
    ("redis", "Redis.execute_command", "redis.Redis.execute_command"),
    ("redis.client", "Pipeline.execute", "redis.Pipeline.execute"),
    ("celery.result", "AsyncResult.get", "celery.AsyncResult.get"),
    ("concurrent.futures", "Future.result", "concurrent.futures.Future.result"),
    ("threading", "Thread.join", "threading.Thread.join"),
    ("queue", "Queue.get", "queue.Queue.get"),
    ("argon2", "PasswordHasher.hash", "argon2.PasswordHasher.hash"),
    ("argon2", "PasswordHasher.verify", "argon2.PasswordHasher.verify"),
    ("bcrypt", "hashpw", "bcrypt.hashpw"),
    ("bcrypt", "checkpw", "bcrypt.checkpw"),
    ("hashlib", "pbkdf2_hmac", "hashlib.pbkdf2_hmac"),
    ("hashlib", "scrypt", "hashlib.scrypt"),
)


class Blocking:
    """Records blocking calls of the example.

    Attributes:
        called: names, in order, of calls made while an event loop ran in the calling thread.
        in_threads: names of those made elsewhere, where they harm nobody.
        waiting: what surrounds each such call (the tick counter's business).
    """

    def __init__(self, root: Path) -> None:
        self.called: list[str] = []
        self.in_threads: list[str] = []
        self.waiting: Callable[[], AbstractContextManager[Any]] = nullcontext
        self._root = root

    def install(self) -> None:
        """Replace the functions; what is not installed is left out."""
        self._replace_sleep()
        self._replace_open()
        self._replace_sqlite()
        for module, path, name in _FUNCTIONS:
            try:
                self.watch(f"{module}:{path}", name)
            except ImportError:
                continue

    def watch(self, target: str, name: str = "") -> None:
        """Treat one more function as blocking.

        Args:
            target: `module:function` or `module:Class.method`; a module of the example, too.
            name: how it is reported; the target with a dot by default.

        Raises:
            ImportError: there is no such module.
            AttributeError: the module has no such function.
        """
        module, _, path = target.partition(":")
        owner: Any = importlib.import_module(module)
        *parents, last = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, last, self._recording(getattr(owner, last), name or f"{module}.{path}"))

    def note(self, name: str) -> AbstractContextManager[Any]:
        """Record a call of the example; what it returns must surround the call."""
        if not called_by_example(self._root, depth=3):
            return nullcontext()
        (self.called if on_event_loop() else self.in_threads).append(name)
        return self.waiting()

    def _recording(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def recorded(*arguments: Any, **options: Any) -> Any:
            with self.note(name):
                return function(*arguments, **options)

        return recorded

    def _replace_sleep(self) -> None:
        real = time.sleep

        def sleep(seconds: float) -> None:
            if not called_by_example(self._root):
                real(seconds)
                return
            with self.note("time.sleep"):
                real(0)

        time.sleep = sleep  # type: ignore[assignment]

    def _replace_open(self) -> None:
        real = builtins.open

        def recorded(*arguments: Any, **options: Any) -> Any:
            with self.note("open"):
                return real(*arguments, **options)

        builtins.open = recorded
        io.open = recorded  # pathlib opens files through this name

    def _replace_sqlite(self) -> None:
        """sqlite3's classes are sealed, but `connect` takes a subclass."""
        note, real = self.note, sqlite3.dbapi2.connect

        class Cursor(sqlite3.Cursor):
            def execute(self, *arguments: Any) -> sqlite3.Cursor:  # type: ignore[override]
                with note("sqlite3.Cursor.execute"):
                    return super().execute(*arguments)

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = Cursor) -> Any:
                return super().cursor(factory)

            def execute(self, *arguments: Any, **options: Any) -> sqlite3.Cursor:
                return self.cursor().execute(*arguments, **options)  # type: ignore[no-any-return]

        def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
            options.setdefault("factory", Connection)
            made: sqlite3.Connection = real(*arguments, **options)
            return made

        sqlite3.connect = sqlite3.dbapi2.connect = connect  # type: ignore[assignment]
