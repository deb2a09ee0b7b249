"""A tree as an archive: what a review would read of it and nothing else, the same bytes each time.

Traps
-----
* Time, owner and mode of a file differ from checkout to checkout: none of them is in the archive.
* Two builds of zlib compress differently: what identifies a tree is the digest of its files, not of the archive.
* A review reads `.env` files that `.gitignore` names, as their presence is what it is asked about. They are not part of
  the repository and hold what nobody wants on another machine: they stay here.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import msgspec

from fastapi_architect.client.errors import ScanRefused
from fastapi_architect.source.tree import SourceTree, Unreadable, printable, readable_size

#: What SecAPI takes of an archive (`secapi.archives.limits`).
MAX_FILES = 50_000
MAX_TOTAL_BYTES = 1_000_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16


class Packed(msgspec.Struct, frozen=True):
    """An archive on the disk.

    Attributes:
        file: open for reading, unnamed, gone when it is closed.
        digest: of the names and contents of its files, in hexadecimal digits.
        size: of the archive, in bytes.
        files: how many are in it.
        left_out: what could not be read, and why.
    """

    file: IO[bytes]
    digest: str
    size: int
    files: int
    left_out: tuple[Unreadable, ...]


@contextmanager
def packed(tree: SourceTree) -> Iterator[Packed]:
    """Give the archive of a tree.

    Args:
        tree: its regular files that a review reads; no link is followed.

    Raises:
        ScanRefused: there is nothing to review, or more than a server takes.
    """
    if tree.nothing_to_review is not None:
        raise ScanRefused(tree.nothing_to_review)
    names = sorted({*tree.python_files, *tree.other_files})
    if len(names) > MAX_FILES:
        message = f"{len(names):,} files, and a server takes {MAX_FILES:,}; leave some out with --exclude, or name a folder"
        raise ScanRefused(message)
    left_out = list(tree.unreadable)
    digest = hashlib.sha256(b"fastapi-architect tree 1\n")
    count = total = 0
    with tempfile.TemporaryFile() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in names:
                data = _readable(tree, name)
                if isinstance(data, Unreadable):
                    left_out.append(data)
                    continue
                total += len(data)
                if total > MAX_TOTAL_BYTES:
                    message = f"the files hold more than {readable_size(MAX_TOTAL_BYTES)}; leave some out with --exclude, or name a folder"
                    raise ScanRefused(message)
                # Lengths before texts: no two trees have the same digest because a name ends where a content begins.
                encoded = name.encode()
                digest.update(b"%d %d\n" % (len(encoded), len(data)) + encoded + data)
                archive.writestr(_member(name), data)
                count += 1
        size = target.seek(0, 2)
        yield Packed(target, digest.hexdigest(), size, count, tuple(sorted(left_out)))


def _readable(tree: SourceTree, name: str) -> bytes | Unreadable:
    if printable(name) != name:
        return Unreadable(printable(name), "its name holds what is no text")
    return tree.read(name)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3
    member.external_attr = _REGULAR_FILE
    return member
