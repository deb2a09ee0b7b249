"""Archives that nobody should have to keep in a repository: each is made when a test asks for it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

APP = b"from fastapi import FastAPI\n\napp = FastAPI()\n"


def noise(size: int) -> bytes:
    """Bytes that do not compress, the same ones each time."""
    return random.Random(size).randbytes(size)


Entry = tuple[str, bytes]


def zipped(entries: Iterable[Entry] | Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file of these members, in this order."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in entries.items() if isinstance(entries, Mapping) else entries:
            info = zipfile.ZipInfo("x")
            info.filename = name  # the constructor mends names
            info.compress_type = method
            archive.writestr(info, data)
    return held.getvalue()


def zip_with_mode(name: str, mode: int, data: bytes = b"target") -> bytes:
    """A zip file with APP and one member of an unusual mode."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("main.py", APP)
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = mode << 16
        archive.writestr(info, data)
    return held.getvalue()


def tarred(members: Iterable[tarfile.TarInfo | Entry], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar file of these members, in this order."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=form) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return held.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A member that is no regular file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}


def end_of(data: bytes) -> tuple[int, int, int]:
    """Offset of a zip file's end record, of its directory, and the number of its entries."""
    end = data.rindex(b"PK\5\6")
    entries, _, start = struct.unpack_from("<H2L", data, end + 10)
    return end, start, entries


def quoted_overlap(files: int, size: int, suffix: str = ".py") -> bytes:
    """The bomb of D. Fifield, 2019: each member's compressed data quote the next one's header, and share its kernel."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = deflater.compress(b"\0" * size) + deflater.flush()
    crc = zlib.crc32(b"\0" * size)
    bodies: list[tuple[str, bytes, int, int, int]] = []  # name, local header, crc, compressed, size
    following, total = b"", size
    compressed = len(kernel)
    for number in reversed(range(files)):
        name = f"bomb{number}{suffix}"
        if bodies:
            # A stored block of deflate that holds the next local header, then go on in its data.
            quoted = bodies[0][1]
            block = b"\0" + struct.pack("<HH", len(quoted), len(quoted) ^ 0xFFFF)
            compressed += len(block) + len(quoted)
            total += len(quoted)
            crc = 0  # not worked out: the members are refused before they are read
        else:
            block = b""
        head = struct.pack(
            "<4s2B4HL2L2H",
            b"PK\3\4",
            20,
            0,
            0,
            8,
            0,
            0,
            crc,
            compressed,
            total,
            len(name),
            0,
        ) + name.encode()  # fmt: skip
        bodies.insert(0, (name, head, crc, compressed, total))
        following = head + block + following
    data = following + kernel
    return data + _directory_of(data, bodies)


def full_overlap(files: int, size: int) -> bytes:
    """Many entries of the directory that point to one and the same member."""
    whole = zipped({"main.py": b"\0" * size})
    _, start, _ = end_of(whole)
    body, entry = whole[:start], whole[start : end_of(whole)[0]]
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, files, files, len(entry) * files, start, 0)
    return body + entry * files + end


def _directory_of(data: bytes, bodies: list[tuple[str, bytes, int, int, int]]) -> bytes:
    entries = b""
    for name, head, crc, compressed, size in bodies:
        entries += (
            struct.pack(
                "<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 8, 0, 0, crc, compressed, size,
                len(name), 0, 0, 0, 0, 0, data.index(head),
            )
            + name.encode()
        )  # fmt: skip
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(bodies), len(bodies), len(entries), len(data), 0)
    return entries + end


def write(path: Path, data: bytes) -> Path:
    """The archive as an upload."""
    path.write_bytes(data)
    return path
