"""Projects written by `architect new`, checked and run with this repository's environment."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.builder.naming import project_name
from fastapi_architect.builder.new import chosen, project_files, write_project
from fastapi_architect.builder.presets import components_of

#: Seconds that a loaded machine may need for servers, migrations and the API.
PATIENCE = 120
_ADDRESS = re.compile(r"answers on (http://127\.0\.0\.1:\d+)")


def make(root: Path, preset: str, more: Sequence[str] = ()) -> Path:
    """Write a project."""
    catalog = load_catalog()
    specs = chosen(catalog, [*components_of(preset, catalog), *more])
    write_project(root, project_files(project_name("book-shop"), specs))
    return root


def environment(**variables: str) -> dict[str, str]:
    """This environment without anything of this repository's in it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "PYTHON", "ARCHITECT"))
    }
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": tools} | variables


def check(root: Path, *command: str, timeout: float = 600) -> str:
    """Run a tool of this environment on a project; what it prints is the failure's message."""
    script = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [str(script), *command[1:]] if script.exists() else [sys.executable, "-m", *command],
        cwd=root,
        # An editable installation puts the project on the import path of every process.
        env=environment(PYTHONPATH=str(root)),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-12_000:]}"
    return done.stdout


class Running:
    """`make run` of a project.

    Attributes:
        url: where it answers.
        said: what it printed until then.
        process: the one that Ctrl+C reaches.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = ""
        self.said = ""
        self._ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        self._ready.wait(PATIENCE)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            found = _ADDRESS.search(line)
            self.url = found[1] if found else self.url
            if line.startswith("Ctrl+C"):
                self._ready.set()
        self._ready.set()


@contextmanager
def running(root: Path, **variables: str) -> Iterator[Running]:
    """Run a project as `make run` does, in a process group of its own; Ctrl+C reaches all of it, as in a terminal."""
    process = subprocess.Popen(
        [sys.executable, "development.py"],
        cwd=root,
        env=environment(**variables),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def processes_in(folder: Path) -> list[str]:
    """Command lines of processes that name something in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                place = str((entry / "cwd").readlink())
            except OSError:
                continue
            if str(folder) in line or place.startswith(str(folder)):
                found.append(line)
    return found
