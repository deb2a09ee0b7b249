"""Members of a zip file, read by its central directory and checked against each local header.

The standard library's `zipfile` is not used: it reads the whole directory into memory, any number of entries of any
length, before a caller can count one; it allocates for LZMA what the file asks for; and which checks it makes differs between
patch releases.

Traps
-----
* Two readers of one file can see two archives: another end record in the comment, a zip64 record that says something else,
  a local header with another name. What is ambiguous is refused.
* Entries that share compressed bytes (overlaps) turn 40 kB into petabytes without any nesting.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import msgspec

from fastapi_architect.secapi.archives.inflating import (
    PIECE,
    Codec,
    Plain,
    bzip2,
    inflate,
    raw_deflate,
    waiting_in,
)
from fastapi_architect.secapi.archives.limits import Account
from fastapi_architect.secapi.archives.member import Member
from fastapi_architect.secapi.archives.refusal import ArchiveRefused, Refusal

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_END_SIGN, _END64_SIGN, _LOCATOR64_SIGN = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_ENTRY_SIGN, _LOCAL_SIGN = b"PK\1\2", b"PK\3\4"

_MAX_COMMENT = 0xFFFF
_IN_ZIP64_16, _IN_ZIP64 = 0xFFFF, 0xFFFF_FFFF
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_SIZES_FOLLOW, _PATCHED, _UTF_8 = 0x0008, 0x0020, 0x0800
_UNIX = 3

_CODECS: dict[int, Callable[[], Codec]] = {0: Plain, 8: raw_deflate, 12: bzip2}


class _Directory(msgspec.Struct, frozen=True):
    """Where the central directory stands and how many entries it has."""

    start: int
    size: int
    entries: int


class _Entry(msgspec.Struct, frozen=True):
    """What the directory says about one member; `raw` is its name as bytes."""

    raw: bytes
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    mode: int


def zip_members(file: BinaryIO, account: Account) -> Iterator[Member]:
    """Every member, in the order of the directory.

    Raises:
        ArchiveRefused: it is damaged, contradicts itself, is encrypted, or breaks a limit.
    """
    file.seek(0, 2)
    directory = _directory(file, file.tell())
    entries = list(_entries(file, directory, account))
    ends = _ends(entries, directory.start)
    account.check_total(sum(entry.size for entry in entries))
    for entry in entries:
        account.check_ratio(entry.size, entry.compressed)
    for entry in entries:
        yield _member(file, entry, ends[entry.offset], account)


def _corrupt(what: str) -> ArchiveRefused:
    return ArchiveRefused(Refusal.CORRUPT, f"The zip file is damaged: {what}. Send it once more.")


def _contradiction(what: str) -> ArchiveRefused:
    return ArchiveRefused(
        Refusal.HEADER_MISMATCH, f"The zip file contradicts itself: {what}. Pack it anew with another tool."
    )


def _directory(file: BinaryIO, length: int) -> _Directory:
    start = max(length - _END.size - _MAX_COMMENT, 0)
    file.seek(start)
    tail = file.read(_END.size + _MAX_COMMENT)
    found = []
    at = tail.find(_END_SIGN)
    while at >= 0:
        if at + _END.size <= len(tail) and at + _END.size + _END.unpack_from(tail, at)[7] == len(tail):
            found.append(at)
        at = tail.find(_END_SIGN, at + 1)
    if not found:
        raise ArchiveRefused(Refusal.TRUNCATED, "The zip file has no end: it was cut off. Send it once more.")
    if len(found) > 1:
        raise _contradiction("it has two ends")
    _, disk, other_disk, here, entries, size, offset, _ = _END.unpack_from(tail, found[0])
    if disk or other_disk or here != entries:
        raise ArchiveRefused(
            Refusal.UNSUPPORTED_FORMAT,
            "This is one part of a zip file in several parts. Send one whole file.",
        )
    end = start + found[0]
    directory = _with_zip64(file, end, _Directory(offset, size, entries))
    if directory.start + directory.size > end:
        raise _corrupt("its directory reaches beyond its end")
    return directory


def _with_zip64(file: BinaryIO, end: int, told: _Directory) -> _Directory:
    """The directory as a zip64 record in front of the end tells it, where there is one."""
    at = end - _LOCATOR64.size
    located = _at(file, at, _LOCATOR64.size) if at >= 0 else b""
    if not located.startswith(_LOCATOR64_SIGN):
        if told.start + told.size != end:
            raise _contradiction("its directory does not end where it has to")
        return told
    _, disk, record, disks = _LOCATOR64.unpack(located)
    data = _at(file, record, _END64.size) if record + _END64.size <= at else b""
    if disk or disks > 1 or not data.startswith(_END64_SIGN):
        raise _corrupt("its zip64 record is missing")
    _, length, _, _, disk, other_disk, here, entries, size, start = _END64.unpack(data)
    if disk or other_disk or here != entries or record + 12 + length != at or start + size != record:
        raise _contradiction("its zip64 record does not fit")
    pairs = (
        (told.start, start, _IN_ZIP64),
        (told.size, size, _IN_ZIP64),
        (told.entries, entries, _IN_ZIP64_16),
    )
    if any(short not in (long, sentinel) for short, long, sentinel in pairs):
        raise _contradiction("its two end records differ")
    return _Directory(start, size, entries)


def _at(file: BinaryIO, position: int, count: int) -> bytes:
    try:
        file.seek(position)
    except (OverflowError, ValueError, OSError) as error:
        raise _corrupt("it points beyond its end") from error
    return file.read(count)


def _entries(file: BinaryIO, directory: _Directory, account: Account) -> Iterator[_Entry]:
    at, end = directory.start, directory.start + directory.size
    count = 0
    file.seek(at)
    while at < end:
        head = file.read(_ENTRY.size)
        if len(head) < _ENTRY.size or not head.startswith(_ENTRY_SIGN):
            raise _corrupt("an entry of its directory cannot be read")
        account.member()
        count += 1
        (
            _, _, system, _, _, flags, method, _, _, crc, compressed, size,
            name_length, extra_length, comment_length, _, _, attributes, offset,
        ) = _ENTRY.unpack(head)  # fmt: skip
        raw, extra = file.read(name_length), file.read(extra_length)
        file.seek(comment_length, 1)
        at += _ENTRY.size + name_length + extra_length + comment_length
        size, compressed, offset = _sizes64(extra, size, compressed, offset)
        if flags & _ENCRYPTED:
            raise ArchiveRefused(Refusal.ENCRYPTED, "The zip file is encrypted. Send one without a password.")
        mode = attributes >> 16 if system == _UNIX else 0
        kept = raw[: account.limits.name_bytes + 1]  # a longer one is skipped, and memory is bounded
        yield _Entry(kept, flags, method, crc, compressed, size, offset, mode)
    if at != end or count != directory.entries:
        raise _contradiction(f"its directory has {count} entries and not {directory.entries}")


def _sizes64(extra: bytes, size: int, compressed: int, offset: int) -> tuple[int, int, int]:
    """The three values, those that did not fit into 32 bits from the extra field."""
    values = [size, compressed, offset]
    wanted = [index for index, value in enumerate(values) if value == _IN_ZIP64]
    if not wanted:
        return size, compressed, offset
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            if length < 8 * len(wanted) or at + 4 + length > len(extra):
                break
            for place, index in enumerate(wanted):
                (values[index],) = struct.unpack_from("<Q", extra, at + 4 + 8 * place)
            return values[0], values[1], values[2]
        at += 4 + length
    raise _corrupt("an entry lacks its zip64 sizes")


def _ends(entries: list[_Entry], start: int) -> dict[int, int]:
    """For the offset of each entry where the next one begins.

    Raises:
        ArchiveRefused: two entries share bytes.
    """
    ends: dict[int, int] = {}
    following = start
    for entry in sorted(entries, key=lambda entry: entry.offset, reverse=True):
        if entry.offset + _LOCAL.size + len(entry.raw) + entry.compressed > following:
            raise ArchiveRefused(
                Refusal.OVERLAPPING,
                "Members of the zip file share their bytes, as in a decompression bomb. Pack it anew.",
            )
        ends[entry.offset] = following
        following = entry.offset
    return ends


def _member(file: BinaryIO, entry: _Entry, end: int, account: Account) -> Member:
    kind = stat.S_IFMT(entry.mode)
    is_folder = entry.raw.endswith((b"/", b"\\")) or kind == stat.S_IFDIR
    problem = None
    if kind == stat.S_IFLNK:
        problem = "a symbolic link"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        problem = "neither a file nor a folder"
    elif entry.method not in _CODECS or entry.flags & _PATCHED:
        problem = f"compressed by method {entry.method}, which is not read"
    return Member(
        _name(entry),
        entry.size,
        lambda: _pieces(file, entry, end, account),
        is_folder=is_folder,
        problem=problem,
        backslashes=True,
    )


def _name(entry: _Entry) -> str:
    try:
        return entry.raw.decode()
    except UnicodeDecodeError:
        if entry.flags & _UTF_8:
            return entry.raw.decode("utf-8", "surrogateescape")
        return entry.raw.decode("cp437")


def _pieces(file: BinaryIO, entry: _Entry, end: int, account: Account) -> Iterator[bytes]:
    at = _data_start(file, entry)
    if at + entry.compressed > end:
        raise ArchiveRefused(
            Refusal.OVERLAPPING,
            "Members of the zip file share their bytes, as in a decompression bomb. Pack it anew.",
        )
    file.seek(at)
    codec = _CODECS[entry.method]()
    left, out, check = entry.compressed, 0, 0
    while not codec.eof:
        data = b""
        if codec.needs_input:
            data = file.read(min(PIECE, left))
            left -= len(data)
            if not data:
                break
        piece = inflate(codec, data)
        out += len(piece)
        check = zlib.crc32(piece, check)
        consumed = entry.compressed - left - waiting_in(codec)
        account.bytes_inflated(len(piece), out=out, consumed=consumed)
        if out > entry.size:
            raise _contradiction("a member is larger than its header says")
        yield piece
    if left or codec.unused_data or not (codec.eof or entry.method == 0):
        raise _corrupt("the data of a member are cut off or followed by others")
    if out != entry.size:
        raise _contradiction("a member is smaller than its header says")
    if check != entry.crc:
        raise _corrupt("the check sum of a member is wrong")


def _data_start(file: BinaryIO, entry: _Entry) -> int:
    """Where the member's data begin, after its local header said the same as the directory."""
    head = _at(file, entry.offset, _LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(_LOCAL_SIGN):
        raise _corrupt("a member has no header")
    _, _, _, flags, method, _, _, crc, compressed, size, name_length, extra_length = _LOCAL.unpack(head)
    raw = file.read(name_length)
    if raw != entry.raw or method != entry.method or (flags ^ entry.flags) & _ENCRYPTED:
        raise _contradiction("the header of a member differs from the directory")
    if not flags & _SIZES_FOLLOW:
        extra = file.read(extra_length)
        if _IN_ZIP64 in (compressed, size):
            size, compressed, _ = _sizes64(extra, size, compressed, 0)
        if (crc, compressed, size) != (entry.crc, entry.compressed, entry.size):
            raise _contradiction("the sizes of a member differ from the directory")
    return entry.offset + _LOCAL.size + len(raw) + int(extra_length)
