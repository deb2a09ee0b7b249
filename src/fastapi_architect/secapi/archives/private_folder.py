"""Folders for one scan, which are gone when it ends, and also when the worker that made them was killed.

The owner holds a lock on a file in the folder. The kernel lets go of it when the process dies, however that happens, so
that whoever can take the lock knows that nobody uses the folder any more: no clock, no process numbers.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX, _NEW = "scan-", "new-"
_LOCK = "lock"
_CONTENT = "content"


@contextlib.contextmanager
def private_folder(base: Path) -> Iterator[Path]:
    """An empty folder that only this user can enter, removed at the end.

    Args:
        base: where such folders lie; made when it is missing.

    Raises:
        OSError: it cannot be made.
    """
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Whoever sweeps must not find the folder before it is locked: it gets its name afterwards.
    outer: Path | None = None
    lock = -1
    try:
        with _locked(base, fcntl.LOCK_SH):
            outer = Path(tempfile.mkdtemp(prefix=_NEW, dir=base))
            lock = os.open(outer / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (outer / _CONTENT).mkdir(mode=0o700)
            outer = outer.rename(base / f"{_PREFIX}{outer.name.removeprefix(_NEW)}")
        yield outer / _CONTENT
    finally:
        # Removed before the lock is let go of, so that nobody sweeps what is being removed.
        if outer is not None:
            shutil.rmtree(outer, ignore_errors=True)
        if lock >= 0:
            os.close(lock)


def sweep(base: Path) -> int:
    """Remove the folders whose owners are dead; called when a worker starts, and now and then.

    Returns:
        How many there were.
    """
    removed = _sweep_unnamed(base)
    for outer in base.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(outer / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # its owner is removing it
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            shutil.rmtree(outer, ignore_errors=True)
            removed += 1
        finally:
            os.close(lock)
    return removed


def _sweep_unnamed(base: Path) -> int:
    """Remove the folders whose owners died before they could lock them."""
    found = list(base.glob(f"{_NEW}*"))
    if found:
        try:
            with _locked(base, fcntl.LOCK_EX | fcntl.LOCK_NB):
                found = list(base.glob(f"{_NEW}*"))
                for outer in found:
                    shutil.rmtree(outer, ignore_errors=True)
        except BlockingIOError:  # somebody makes one now; there is a next time
            return 0
    return len(found)


@contextlib.contextmanager
def _locked(base: Path, how: int) -> Iterator[None]:
    """Hold a lock on where the folders lie: shared by all who make one, alone by who wants to know that nobody does.

    Raises:
        BlockingIOError: somebody else holds it, where nobody is waited for.
    """
    handle = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)
