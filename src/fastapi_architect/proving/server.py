"""A warm process that has imported the web stack and forks a disposable child for each job.

Importing FastAPI, SQLAlchemy, Celery and Alembic costs about a second; a fork costs some milliseconds. The
server itself never runs an example: it stays single-threaded, so that forking it is safe. One job at a
time.

Protocol: one job a line as JSON on standard input, one outcome a line as JSON on standard output.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

from fastapi_architect.proving.child import run_job
from fastapi_architect.proving.outcome import Job, Outcome

_WARM = (
    "fastapi", "fastapi.security", "fastapi.middleware.cors", "starlette.testclient",
    "starlette.middleware.sessions", "sqlalchemy", "sqlalchemy.orm", "sqlalchemy.ext.asyncio",
    "sqlalchemy.dialects.sqlite", "aiosqlite", "sqlmodel", "alembic.operations", "alembic.migration",
    "celery", "celery.result", "httpx", "requests", "redis", "redis.asyncio", "jinja2", "jwt", "multipart",
    "python_multipart", "pydantic_settings", "psycopg", "argon2", "fastapi_architect.rules.kit",
    "fastapi_architect.proving.proof", "urllib.request", "sqlite3", "smtplib", "zipfile", "subprocess",
    "asyncio", "anyio._backends._asyncio",
)  # fmt: skip


def warm() -> None:
    """Import what examples import; what is not installed is left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _WARM:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def serve() -> None:
    """Answer jobs until standard input ends."""
    # An example that prints must never write into the protocol.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warm()
    for line in sys.stdin:
        outcome = run_forked(Job.from_json(line))
        replies.write(json.dumps(outcome.to_dict()) + "\n")
        replies.flush()


def run_forked(job: Job) -> Outcome:
    """Run a job in a fork of this process; its death is an outcome."""
    folder = Path(tempfile.mkdtemp(prefix="proof-")).resolve()
    receiving, sending = os.pipe()
    begin = time.perf_counter()
    child = os.fork()
    if child == 0:
        _be_the_child(job, folder, sending)
    os.close(sending)
    try:
        text = _read(receiving, begin + job.limits.wall_seconds)
    finally:
        os.close(receiving)
        # The child leads a process group, so that what it started ends with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        shutil.rmtree(folder, ignore_errors=True)
    seconds = round(time.perf_counter() - begin, 3)
    if text is None:
        return Outcome("timeout", f"not finished after {job.limits.wall_seconds:g} s", seconds=seconds)
    if not text.strip():
        return Outcome("killed", died(status), seconds=seconds)
    return Outcome(**json.loads(text))


def died(status: int) -> str:
    """Why a child ended without an answer, from its wait status."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name
        reasons = {
            "SIGXCPU": "it used more CPU time than a proof may",
            "SIGXFSZ": "it wrote a larger file than a proof may",
        }
        return f"ended by {name}" + (f": {reasons[name]}" if name in reasons else "")
    return f"ended with status {os.waitstatus_to_exitcode(status)} and no answer"


def _be_the_child(job: Job, folder: Path, sending: int) -> None:
    code = 1
    try:
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        outcome = run_job(job, folder)
        data = json.dumps(outcome.to_dict()).encode()
        while data:
            data = data[os.write(sending, data) :]
        code = 0
    finally:
        # Threads of the example must not keep the child alive, and nothing of the server's may be flushed
        # twice.
        os._exit(code)


def _read(descriptor: int, deadline: float) -> str | None:
    """Everything written until the other end closes; None when the deadline comes first."""
    data = b""
    while True:
        left = deadline - time.perf_counter()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return None
        piece = os.read(descriptor, 65536)
        if not piece:
            return data.decode()
        data += piece


if __name__ == "__main__":
    serve()
