"""Changed files as a patch that `git apply` and `patch -p1` take."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from fastapi_architect.source.replace_files import Replacement

_NO_NEWLINE = b"\\ No newline at end of file\n"


def render(files: Mapping[str, Replacement]) -> bytes:
    """The difference between old and new bytes of files, by path; line ends and encodings stay what they are."""
    return b"".join(line for path in sorted(files) for line in _of_file(path, files[path]))


def _of_file(path: str, replacement: Replacement) -> Iterator[bytes]:
    name = path.encode("utf-8", "surrogateescape")
    before, after = (_lines(data) for data in (replacement.before, replacement.after))
    for line in difflib.diff_bytes(difflib.unified_diff, before, after, b"a/" + name, b"b/" + name):
        yield line if line.endswith(b"\n") else line + b"\n" + _NO_NEWLINE


def _lines(data: bytes) -> list[bytes]:
    """Lines with their ends, as git counts them: a carriage return alone ends none."""
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
