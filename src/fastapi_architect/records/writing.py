"""A new record: whole or not at all, never over another one, and never with another one's number."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from fastapi_architect.records.errors import RecordError
from fastapi_architect.records.numbering import style_of
from fastapi_architect.records.place import Folder

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def write_next(folder: Folder, title: str, day: date, text: Callable[[int], str]) -> Path:
    """Write the next record of a folder.

    Args:
        folder: where it belongs; made where it is not there.
        title: becomes part of the file's name.
        day: of the record.
        text: the record of a number, which is 0 in a folder that is kept by dates.

    Returns:
        the file, absolute.

    Raises:
        RecordError: it cannot be written, or a record of this day has this title.
    """
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        if not folder.path.resolve().is_relative_to(folder.root):
            message = f"{folder.path} lies outside of {folder.root}; replace the symbolic link by a folder"
            raise RecordError(message)
        with _alone_in(folder.path):
            style, number = style_of(each.name for each in folder.path.iterdir())
            file = folder.path / style.name(number, title, day)
            _create(file, text(number).encode("utf-8"))
    except FileExistsError as error:
        message = f"{error.filename2 or error.filename} is there already and is never overwritten; choose another title"
        raise RecordError(message) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = (
            f"{folder.path} cannot be written: {reason}; nothing was changed, make it writable and run again"
        )
        raise RecordError(message) from error
    return file


def next_number(folder: Folder) -> int:
    """The number that the next record will have, unless somebody writes one before; 0 in a folder that is kept by dates."""
    there = folder.path.iterdir() if folder.path.is_dir() else ()
    return style_of(each.name for each in there)[1]


def _create(file: Path, data: bytes) -> None:
    """Write a file that is not there: a link to a finished one fails where a name is taken, a rename would replace it.

    Raises:
        FileExistsError: it is there.
    """
    beside = file.with_name(f".{file.name[:80]}.{os.getpid()}.architect-new")
    try:
        with beside.open("xb") as opened:
            opened.write(data)
        try:
            os.link(beside, file)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # A file system without links. Others wait for their turn, so that nobody reads half of it by a number.
            with file.open("xb") as opened:
                opened.write(data)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One process at a time takes a number; the system gives the folder back when a process dies."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
