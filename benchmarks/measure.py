"""Runs a command and measures the process tree it becomes: wall, CPU, peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path


class MeasurementError(Exception):
    """A measured command failed; the message holds its last line."""


@dataclass(frozen=True)
class Run:
    """One run: seconds of wall and of CPU (user + system, all processes), peak bytes when sampled."""

    wall: float
    cpu: float
    output: str
    errors: str = ""
    peak: int = 0


def children_of(process: int) -> list[int]:
    """All living descendants of a process."""
    found, stack = [], [process]
    while stack:
        parent = stack.pop()
        try:
            tasks = list(Path(f"/proc/{parent}/task").iterdir())
            below = [int(word) for task in tasks for word in (task / "children").read_text().split()]
        except OSError:  # it ended meanwhile
            continue
        found += below
        stack += below
    return found


def memory_of(process: int) -> int:
    """Proportional set size of a process in bytes: pages shared by forked processes are counted once."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


class PeakMemory(threading.Thread):
    """Samples the memory of a process and its descendants until it is stopped."""

    def __init__(self, process: int, interval: float = 0.05) -> None:
        super().__init__(daemon=True)
        self.process, self.interval = process, interval
        self.peak = 0
        self.done = threading.Event()

    def run(self) -> None:
        """Samples."""
        while not self.done.wait(self.interval):
            everyone = [self.process, *children_of(self.process)]
            self.peak = max(self.peak, sum(memory_of(process) for process in everyone))


def measure(
    command: list[str],
    *,
    environment: dict[str, str] | None = None,
    accepted: tuple[int, ...] = (0,),
    memory: bool = False,
    timeout: float = 900,
) -> Run:
    """Runs a command to its end.

    CPU is what the kernel charges to the process and to every descendant that was waited for. Raises
    MeasurementError when the exit code is not accepted, or after the timeout (seconds).
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**_environment(), **(environment or {})},
    )
    collected: dict[str, str] = {}
    assert process.stdout is not None
    assert process.stderr is not None
    streams = {"stdout": process.stdout, "stderr": process.stderr}
    readers = [
        threading.Thread(target=lambda n=name, s=stream: collected.__setitem__(n, s.read()), daemon=True)
        for name, stream in streams.items()
    ]
    sampler = PeakMemory(process.pid) if memory else None
    for thread in (*readers, *([sampler] if sampler else [])):
        thread.start()
    killer = threading.Timer(timeout, process.kill)
    killer.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    killer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    for thread in readers:
        thread.join()
    if sampler is not None:
        sampler.done.set()
        sampler.join()
    errors = collected.get("stderr", "")
    if process.returncode not in accepted:
        started_as = " ".join(command[:6])
        raise MeasurementError(f"{started_as} ... ended with {process.returncode}: {last_line(errors)}")
    peak = sampler.peak if sampler else 0
    return Run(wall, usage.ru_utime + usage.ru_stime, collected.get("stdout", ""), errors, peak)


def _environment() -> dict[str, str]:
    """Ours, but for the switch that makes Python compile every module anew: no user of an installed tool has it."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def last_line(errors: str) -> str:
    """What a failed command said last."""
    return (errors.strip() or "no message").splitlines()[-1]


def machine() -> str:
    """What the figures were measured on, without its name."""
    model = next(
        (line.split(":", 1)[1].strip() for line in cpu_lines() if line.startswith("model name")),
        "unknown CPU",
    )
    load = os.getloadavg()[0]
    return f"Python {sys.version.split()[0]}, {os.cpu_count()} x {model}, load {load:.1f}"


def cpu_lines() -> list[str]:
    """What Linux says of the processor; nothing elsewhere."""
    try:
        return Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return []
