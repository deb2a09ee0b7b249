"""Files written in the user's tree: all of them, or none.

The only place where this tool writes to what it reads. A file is written beside its final place and renamed over it, so
that nobody ever sees half of one, and keeps its mode.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec


class CannotReplace(Exception):
    """The files cannot be written; none was changed. The message names the file and the reason."""


class Replacement(msgspec.Struct, frozen=True):
    """What a file must hold for it to be replaced, and what it will hold."""

    before: bytes
    after: bytes


def replace_files(root: Path, replacements: Mapping[str, Replacement]) -> None:
    """Replace files below `root`; paths are relative, with forward slashes.

    Raises:
        CannotReplace: a file is no longer what it was, or cannot be written; those renamed before are put back.
    """
    written: dict[Path, tuple[Path, Replacement]] = {}
    done: list[tuple[Path, Replacement]] = []
    try:
        for path in sorted(replacements):
            file = root / path
            written[file] = (_beside(file, replacements[path]), replacements[path])
        for file, (beside, replacement) in written.items():
            beside.replace(file)
            done.append((file, replacement))
    except OSError as error:
        for file, replacement in done:
            _beside(file, Replacement(replacement.after, replacement.before)).replace(file)
        name = error.filename or root
        message = f"{name} cannot be written: {(error.strerror or str(error)).lower()}; no file was changed"
        raise CannotReplace(message) from error
    finally:
        for beside, _ in written.values():
            beside.unlink(missing_ok=True)


def _beside(file: Path, replacement: Replacement) -> Path:
    """The new bytes in a file of their own next to `file`, with its mode."""
    status = file.lstat()
    if not stat.S_ISREG(status.st_mode) or file.read_bytes() != replacement.before:
        message = f"{file} has changed since it was read; no file was changed, run the command again"
        raise CannotReplace(message)
    if not os.access(file, os.W_OK):
        message = f"{file} cannot be written: permission denied; no file was changed"
        raise CannotReplace(message)
    beside = file.with_name(f".{file.name}.{os.getpid()}.architect")
    with beside.open("xb") as opened:
        try:
            opened.write(replacement.after)
            beside.chmod(stat.S_IMODE(status.st_mode))
        except OSError:
            beside.unlink(missing_ok=True)
            raise
    return beside
