"""What became of an archive: which files are kept where, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from fastapi_architect.source.tree import MAX_READ_BYTES, StoredFile, StoredFiles, Unreadable

#: Skipped members that are named one by one; the others are counted.
NAMED = 1_000


class Skipped(msgspec.Struct, frozen=True, order=True):
    """A member that is not kept although a review might have wanted it, and why."""

    path: str
    reason: str


class Unpacked(msgspec.Struct, frozen=True):
    """An archive that has been taken apart; JSON can hold it.

    Attributes:
        kind: "zip", "tar", "tar.gz", "tar.bz2" or "tar.xz".
        place: the file that holds the content of the others.
        top: the one folder that wrapped everything and was taken off the paths, "" where there was none.
        files: paths to what lies where in it: what a review reads.
        skipped: members that were not taken, the first thousand, sorted.
        reasons: why how many were not, all of them.
        members: entries of any kind.
        unread: files that no review looks at; python: how many of these are Python, by the folder that is never entered.
    """

    kind: str
    place: str
    top: str
    files: Mapping[str, StoredFile]
    skipped: tuple[Skipped, ...] = ()
    reasons: Mapping[str, int] = msgspec.field(default_factory=dict)
    members: int = 0
    unread: int = 0
    python: Mapping[str, int] = msgspec.field(default_factory=dict)

    def read(self, path: str, max_bytes: int = MAX_READ_BYTES) -> bytes | Unreadable:
        """The bytes of one kept file, or why they cannot be had."""
        return StoredFiles(Path(self.place), self.files).read(path, max_bytes)
