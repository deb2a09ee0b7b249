"""Members of a tar file, in its order, by the standard library's `tarfile`, whose `extract` is never called.

Traps
-----
* `tarfile` takes a damaged header in the middle for the end of the archive, and says nothing.
* It reads what stands before a member (long names, pax records, maps of sparse files) whole into memory, whatever size
  its header tells, and keeps every member that it has seen.
* A header may hold a negative size, which sends old versions back and round for ever.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

from fastapi_architect.secapi.archives.inflating import PIECE, Inflated
from fastapi_architect.secapi.archives.limits import Account
from fastapi_architect.secapi.archives.member import Member
from fastapi_architect.secapi.archives.refusal import ArchiveRefused, Refusal

#: Headers of one member: names of 1,024 bytes and a few records.
_MAX_HEADERS = 256_000
_BLOCK = tarfile.BLOCKSIZE

_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
}


class _Forward(io.RawIOBase):
    """What `tarfile` reads headers from: forward only, and a bounded number of bytes for one member."""

    def __init__(self, stream: Inflated) -> None:
        self.stream = stream
        self.at = 0
        self.room = _MAX_HEADERS
        self.last = b""

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def read(self, count: int | None = -1) -> bytes:
        if count is None or not 0 <= count <= self.room:
            raise ArchiveRefused(
                Refusal.CORRUPT,
                f"The headers of one member take more than {_MAX_HEADERS:,} bytes. Pack it anew.",
            )
        self.room -= count
        self.last = self.stream.take(count)
        self.at += len(self.last)
        return self.last

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or position < self.at:
            raise ArchiveRefused(Refusal.CORRUPT, "A header of the archive leads backwards. Pack it anew.")
        while self.at < position:
            skipped = self.stream.take(min(PIECE, position - self.at))
            if not skipped:
                raise truncated()
            self.at += len(skipped)
        return self.at

    def data(self, size: int) -> Iterator[bytes]:
        """The content of a member, in pieces."""
        while size > 0:
            piece = self.stream.take(min(PIECE, size))
            if not piece:
                raise truncated()
            self.at += len(piece)
            size -= len(piece)
            yield piece


def truncated() -> ArchiveRefused:
    """The archive is not complete."""
    return ArchiveRefused(
        Refusal.TRUNCATED, "The archive ends before its last member does. Send it once more."
    )


def tar_members(stream: Inflated, account: Account) -> Iterator[Member]:
    """Every member; its content has to be taken before the next one is asked for.

    Raises:
        ArchiveRefused: it is no tar file, is damaged or incomplete, or breaks a limit.
    """
    forward = _Forward(stream)
    with _opened(forward) as tar:
        while True:
            info = _next(tar)
            if info is None:
                break
            account.member()
            vars(tar)["members"] = []  # it keeps them all otherwise
            forward.room = _MAX_HEADERS
            yield _member(info, forward)
    _check_end(forward)


def _opened(forward: _Forward) -> tarfile.TarFile:
    try:
        return tarfile.TarFile(fileobj=forward, mode="r", encoding="utf-8", errors="surrogateescape")
    except _REFUSED as error:
        raise ArchiveRefused(
            Refusal.NOT_AN_ARCHIVE, "This is no tar file. Send a .zip or a .tar.gz of the project's folder."
        ) from error


#: What `tarfile` raises for bytes that are no tar file, found by fuzzing.
_REFUSED = (tarfile.TarError, ValueError, OverflowError, LookupError, TypeError, EOFError, RecursionError)


def _next(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    try:
        return tar.next()
    except _REFUSED as error:
        raise ArchiveRefused(
            Refusal.CORRUPT, f"A header of the archive is damaged ({error}). Send it once more."
        ) from error


def _member(info: tarfile.TarInfo, forward: _Forward) -> Member:
    kind = _KINDS.get(info.type)
    if kind is None and not info.isdir() and not info.isreg():
        kind = f"an entry of the type {info.type.decode('latin-1')!r}"
    if kind is None and info.issparse():
        kind = "a sparse file"
    size = info.size if info.isreg() and kind is None else 0

    def pieces() -> Iterator[bytes]:
        forward.seek(info.offset_data)
        yield from forward.data(size)

    return Member(info.name, size, pieces, is_folder=info.isdir(), problem=kind)


def _check_end(forward: _Forward) -> None:
    """See to it that the archive ended where it says, and not where a header could not be read."""
    if not forward.last:
        raise truncated()
    if forward.last.strip(b"\0"):
        raise ArchiveRefused(Refusal.CORRUPT, "A header of the archive is damaged. Send it once more.")
    while rest := forward.stream.take(PIECE):
        if rest.strip(b"\0"):
            raise ArchiveRefused(
                Refusal.CORRUPT, "Something follows the end of the archive. Pack it into one archive."
            )
