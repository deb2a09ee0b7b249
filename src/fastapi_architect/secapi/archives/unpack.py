"""`unpack`: the content of an uploaded archive goes into one file, and a map tells what lies where in it.

Nothing is ever extracted: no name, link, mode or owner of the archive reaches the file system. (One file a member was tried
first: making it costs several times what reading an ordinary source file costs.)
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from fastapi_architect.secapi.archives import inflating
from fastapi_architect.secapi.archives.limits import Account, ArchiveLimits
from fastapi_architect.secapi.archives.member import Member
from fastapi_architect.secapi.archives.names import is_archive, label_of
from fastapi_architect.secapi.archives.refusal import ArchiveRefused, NoRoom, Refusal
from fastapi_architect.secapi.archives.tar_files import tar_members
from fastapi_architect.secapi.archives.unpacked import NAMED, Skipped, Unpacked
from fastapi_architect.secapi.archives.zip_files import zip_members
from fastapi_architect.source.tree import StoredFile, is_read, readable_size

_TAR_MARK, _TAR_MARK_AT = b"ustar", 257
_COMPRESSED = (
    (b"\x1f\x8b", "tar.gz", inflating.gzip),
    (b"BZh", "tar.bz2", inflating.bzip2),
    (b"\xfd7zXZ\0", "tar.xz", inflating.xz),
)
_OTHERS = (
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "RAR"),
    (b"\x1f\x9d", "compress"),
    (b"\x04\x22\x4d\x18", "LZ4"),
)
_PLACE = "content"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

#: A review asks about this file of configuration, which is none that it reads.
_IGNORES = ".gitignore"


def unpack(
    archive: Path,
    folder: Path,
    limits: ArchiveLimits | None = None,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> Unpacked:
    """Take an archive apart.

    Args:
        archive: the upload; its name and the sender's word for its type do not count.
        folder: an empty private folder; empty again when this fails.
        limits: how much is taken.
        cancelled: asked now and then whether anybody still wants the result.

    Raises:
        ArchiveRefused: it breaks a limit, or is no archive that can be read; sending it again does not help.
        NoRoom: the disk is full.
        UnpackingCancelled: nobody wants the result.
    """
    limits = limits or ArchiveLimits()
    account = Account(limits, cancelled)
    place = folder / _PLACE
    try:
        with archive.open("rb") as file, place.open("xb") as content:
            store = _Store(content, limits)
            account.check_upload(os.fstat(file.fileno()).st_size)
            kind, members = _members(file, account)
            for member in members:
                store.take(member)
            _refuse_nothing(account)
        return store.result(kind, place, account.members)
    except OSError as error:
        place.unlink(missing_ok=True)
        if error.errno in _NO_ROOM:
            raise NoRoom(f"There is no room to unpack an archive: {error.strerror}.") from error
        raise
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def _members(file: BinaryIO, account: Account) -> tuple[str, Iterator[Member]]:
    """What kind of archive it is, told by its first bytes, and its members."""
    head = file.read(512)
    file.seek(0)
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return "zip", zip_members(file, account)
    for mark, kind, codec in _COMPRESSED:
        if head.startswith(mark):
            return kind, tar_members(inflating.Inflated(file, codec, account), account)
    for mark, name in _OTHERS:
        if head.startswith(mark):
            raise ArchiveRefused(
                Refusal.UNSUPPORTED_FORMAT,
                f"Archives of the kind {name} are not read. Send a .zip or a .tar.gz.",
            )
    if head[_TAR_MARK_AT : _TAR_MARK_AT + len(_TAR_MARK)] == _TAR_MARK or _is_old_tar(head):
        return "tar", tar_members(inflating.Inflated(file, inflating.Plain, account), account)
    raise ArchiveRefused(
        Refusal.NOT_AN_ARCHIVE,
        "This is no archive that is known here. Send a .zip or a .tar.gz of the project's folder.",
    )


def _refuse_nothing(account: Account) -> None:
    if not account.members:
        raise ArchiveRefused(
            Refusal.NOT_AN_ARCHIVE, "The archive is empty. Send one of the project's folder."
        )


def _is_old_tar(head: bytes) -> bool:
    """Whether the block is a header of the time before tar had a mark: its check sum fits."""
    if len(head) < 512:
        return False
    try:
        told = int(head[148:156].strip(b" \0") or b"0", 8)
    except ValueError:
        return False
    return told == sum(head) - sum(head[148:156]) + 8 * ord(" ") and any(head)


class _Store:
    """The files kept so far."""

    def __init__(self, content: BinaryIO, limits: ArchiveLimits) -> None:
        self._content = content
        self._limits = limits
        self._files: dict[str, StoredFile] = {}
        self._skipped: list[Skipped] = []
        self._reasons: Counter[str] = Counter()
        self._python: Counter[str] = Counter()
        self._unread = 0
        self._tops: set[str] = set()

    def take(self, member: Member) -> None:
        """Keep a member, or say why not."""
        if member.is_folder:
            return
        label = label_of(member.name, self._limits, backslashes=member.backslashes)
        problem = label.problem or member.problem
        if label.problem is None:
            top, _, below = label.path.partition("/")
            self._tops.add(top if below else "")
        if problem is None and is_archive(label.path):
            problem = "an archive in the archive, which is not opened"
        if problem is not None:
            self._skip(label.path, problem)
        elif not _is_wanted(label.path, member.size):
            self._count_unread(label.path)
        else:
            self._keep(label.path, member)

    def result(self, kind: str, place: Path, members: int) -> Unpacked:
        """Everything, with a folder that wraps it all taken off the paths."""
        top = self._wrapping()
        cut = len(top) + 1 if top else 0
        skipped = [
            Skipped(each.path[cut:] if top and each.path.startswith(f"{top}/") else each.path, each.reason)
            for each in self._skipped
        ]
        return Unpacked(
            kind,
            str(place),
            top,
            {path[cut:]: self._files[path] for path in sorted(self._files)},
            tuple(sorted(skipped)),
            dict(sorted(self._reasons.items())),
            members,
            self._unread,
            dict(sorted(self._python.items())),
        )

    def _wrapping(self) -> str:
        """The folder that everything lies in, unless it is a package: its name is then part of what imports say."""
        if len(self._tops) != 1:
            return ""
        (top,) = self._tops
        return "" if f"{top}/__init__.py" in self._files else top

    def _skip(self, path: str, reason: str) -> None:
        self._reasons[reason] += 1
        if len(self._skipped) < NAMED:
            self._skipped.append(Skipped(path, reason))

    def _count_unread(self, path: str) -> None:
        self._unread += 1
        if path.endswith(".py"):
            folders = path.split("/")[:-1]
            self._python[next((each for each in folders if not is_read(f"{each}/x.py", 0)), "")] += 1

    def _keep(self, path: str, member: Member) -> None:
        if self._files.pop(path, None) is not None:
            self._skip(path, "there is a later entry with the same name, which counts")
        start, size = self._content.tell(), 0
        for piece in member.pieces():
            size += len(piece)
            if size > self._limits.file_bytes:
                self._content.seek(start)
                self._content.truncate()
                self._skip(path, f"larger than {readable_size(self._limits.file_bytes)}")
                return
            self._content.write(piece)
        self._files[path] = StoredFile(start, size)


def _is_wanted(path: str, size: int) -> bool:
    """Whether a review reads the file, with or without the folder that may wrap everything."""
    below = path.partition("/")[2]
    if path.rpartition("/")[2] == _IGNORES:
        return True
    return is_read(path, size) or (below != "" and is_read(below, size))
