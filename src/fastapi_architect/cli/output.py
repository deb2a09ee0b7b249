"""Reports to standard output or a file, whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fastapi_architect.cli.errors import UsageError


def write_output(text: str, file: Path | None) -> None:
    """Write a report.

    A regular file is written beside its final place and renamed, so that a failing run never leaves half a report; what a
    symbolic link points to is what is replaced.

    Raises:
        UsageError: the file cannot be written.
    """
    if file is None:
        # Reviewed names may hold what the terminal's encoding cannot.
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
        sys.stdout.flush()
        return
    file = file.resolve() if file.is_symlink() else file
    try:
        if file.exists() and not file.is_file():
            # A device or pipe is written to, never replaced: renaming over /dev/null would break the whole machine.
            with file.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as opened:
                opened.write(text)
            return
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        with beside.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as opened:
            opened.write(text)
        beside.replace(file)
    except OSError as error:
        message = f"{file} cannot be written: {(error.strerror or str(error)).lower()}; name another file"
        raise UsageError(message) from error
