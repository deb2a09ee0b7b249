"""Processes of this machine as /proc shows them. Only those that carry our own folder in their command or environment count."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process holds."""

    rss: int
    files: int
    threads: int


def children_of(process_id: int) -> list[int]:
    """Return the living children of a process, in the order of their numbers."""
    found = []
    for task in _list(PROC / str(process_id) / "task"):
        text = _read(task / "children")
        found += [int(each) for each in text.split()]
    return sorted(each for each in set(found) if state_of(each) not in ("", "Z"))


def tree_of(process_id: int) -> Iterator[int]:
    """Yield a process and everything below it."""
    yield process_id
    for child in children_of(process_id):
        yield from tree_of(child)


def state_of(process_id: int) -> str:
    """Return its state letter; "" if there is none."""
    return _read(PROC / str(process_id) / "stat").rpartition(")")[2].strip()[:1]


def holders_of(file: Path, among: Iterator[int]) -> list[int]:
    """Return the processes that hold a file open."""
    found = []
    for process_id in among:
        for handle in _list(PROC / str(process_id) / "fd"):
            try:
                if handle.readlink() == file:
                    found.append(process_id)
                    break
            except OSError:
                continue
    return found


def belonging_to(folder: Path) -> list[tuple[int, str]]:
    """Return every process that names a folder in its command or its environment, with its command."""
    wanted, own = str(folder).encode(), os.getpid()
    found = []
    for place in PROC.glob("[0-9]*"):
        process_id = int(place.name)
        if process_id == own or state_of(process_id) in ("", "Z"):
            continue
        command = _read_bytes(place / "cmdline")
        if wanted in command or wanted in _read_bytes(place / "environ"):
            found.append((process_id, command.replace(b"\0", b" ").decode(errors="replace").strip()))
    return found


def figures_of(process_id: int) -> Figures | None:
    """Return what a process holds; None: it has ended."""
    status = dict(
        line.split(":", 1) for line in _read(PROC / str(process_id) / "status").splitlines() if ":" in line
    )
    if "VmRSS" not in status:
        return None
    files = len(_list(PROC / str(process_id) / "fd"))
    return Figures(int(status["VmRSS"].split()[0]) * 1024, files, int(status["Threads"]))


def network_namespaces(process_ids: Iterator[int]) -> set[str]:
    """Return the network name spaces that processes are in."""
    found = set()
    for process_id in process_ids:
        try:
            found.add(str((PROC / str(process_id) / "ns" / "net").readlink()))
        except OSError:
            continue
    return found


def _list(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _read(file: Path) -> str:
    return _read_bytes(file).decode(errors="replace")


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
