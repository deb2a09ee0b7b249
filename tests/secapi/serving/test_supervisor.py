"""Processes are started again when they end, and end when they are told to."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastapi_architect.secapi.serving import supervisor as module
from fastapi_architect.secapi.serving.installation import InstallationInUse, only_one
from fastapi_architect.secapi.serving.supervisor import Supervisor

WRITES_AND_STAYS = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"
WRITES_AND_FAILS = "import os, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); sys.exit(3)"
IGNORES = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(sys.argv[1], 'a').write('x\\n'); time.sleep(600)"


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """A supervisor that runs in a thread, with pauses short enough for a test."""
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(module, "PATIENCE", 2.0)
    supervisor = Supervisor(dict(os.environ))
    thread = threading.Thread(target=supervisor.run)
    yield supervisor
    supervisor.stopping.set()
    if thread.ident:
        thread.join(30)
    supervisor.end()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def is_alive(process_id: str) -> bool:
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return False
    return True


def test_what_is_killed_or_fails_is_started_again(running: Supervisor, tmp_path: Path) -> None:
    stays, fails = tmp_path / "stays", tmp_path / "fails"
    running.keep("stays", sys.executable, "-c", WRITES_AND_STAYS, str(stays))
    running.keep("fails", sys.executable, "-c", WRITES_AND_FAILS, str(fails))
    threading.Thread(target=running.run, daemon=True).start()

    eventually(lambda: len(lines(stays)) == 1)
    os.kill(int(lines(stays)[0]), 9)

    eventually(lambda: len(lines(stays)) == 2 and len(lines(fails)) >= 2)


def test_the_end_of_the_supervisor_is_the_end_of_all_even_of_who_ignores_it(
    running: Supervisor, tmp_path: Path
) -> None:
    stays, ignores = tmp_path / "stays", tmp_path / "ignores"
    running.keep("stays", sys.executable, "-c", WRITES_AND_STAYS, str(stays))
    running.keep("ignores", sys.executable, "-c", IGNORES, str(ignores))
    eventually(lambda: bool(lines(stays)) and bool(lines(ignores)))

    running.end()

    assert not is_alive(lines(stays)[0])
    assert not running.is_running("ignores")


def test_a_folder_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(InstallationInUse, match="--data"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass
