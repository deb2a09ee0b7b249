"""The parse cache: encoded files by the hash of their bytes, in the user's cache directory, one a project.

A cache file is `MAGIC`, the checksum of the rest, the length of the index, the index (digest, offset, length
of each entry; msgpack) and the entries. It is read at once, and entries are sliced when asked for. It is
written beside and renamed over the old one, so that readers need no lock; of two writers the later one wins.

Traps
-----
* The cache decides what a review sees. A file that belongs to somebody else, that others may write, or whose
  checksum is wrong, is not read; neither is one made by other code, another IR or another Python: all of that
  is in `MAGIC`.
* It never lies inside the reviewed tree: the tree is not ours to write, and its owner could plant a cache.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import sys
import zlib
from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec

from fastapi_architect.syntax.ir import IR_VERSION

_HEAD = struct.Struct("<20sIQ")
_MAX_PROJECTS = 32
#: A project's cache stays below this; a million lines take about 80 MB.
MAX_CACHE_BYTES = 512_000_000

_Index = list[tuple[bytes, int, int]]


def cache_folder() -> Path:
    """Where caches lie: `ARCHITECT_CACHE_DIR`, or a folder of ours in the user's cache directory."""
    own = os.environ.get("ARCHITECT_CACHE_DIR")
    if own:
        return Path(own)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "fastapi-architect" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "fastapi-architect"
    base = os.environ.get("XDG_CACHE_HOME")
    # The specification says that a relative path is to be ignored.
    return (Path(base) if base and os.path.isabs(base) else Path.home() / ".cache") / "fastapi-architect"  # noqa: PTH117


def digest_of(data: bytes) -> bytes:
    """The key of a file's entry."""
    return blake2b(data, digest_size=16).digest()


@cache
def _magic() -> bytes:
    """Twenty bytes that stand for everything besides its bytes that decides what a file becomes."""
    digest = blake2b(
        f"parse cache 1\n{IR_VERSION}\n{sys.version}\n{sys.implementation.cache_tag}".encode(), digest_size=20
    )
    here = Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *(here.parent / "source").glob("*.py")]):
        digest.update(path.read_bytes())
    digest.update(msgspec.__version__.encode())
    return digest.digest()


class ParseCache:
    """The cache of one project. Nothing about it fails: without a usable folder it holds nothing and keeps
    nothing.

    Attributes:
        problem: why there is no cache, or why the last `save` did not happen; None otherwise.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self._data = b""
        self._entries: dict[bytes, tuple[int, int]] = {}
        self._loaded = False
        self.problem: str | None = None

    @classmethod
    def for_tree(cls, root: Path, folder: Path | None = None) -> ParseCache | None:
        """The cache of the tree at `root`; None where it cannot be kept safely.

        Args:
            root: the reviewed tree.
            folder: where caches lie, instead of `cache_folder()`.
        """
        try:
            folder = folder or cache_folder()
            real_root = os.path.realpath(root)
            real_folder = os.path.realpath(folder)
            if os.path.commonpath([real_root, real_folder]) == real_root and real_root != os.sep:
                return None
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(os.stat(folder), stat.S_ISDIR):  # noqa: PTH116 - a link of the user's own is fine
                return None
        except (OSError, ValueError, RuntimeError):  # RuntimeError: there is no home directory
            return None
        name = blake2b(os.fsencode(real_root), digest_size=16).hexdigest()
        return cls(Path(real_folder), f"{name}.parse")

    def get(self, digest: bytes) -> bytes | None:
        """The encoded file that a source with this digest became, or None."""
        if not self._loaded:
            self._load()
        found = self._entries.get(digest)
        if found is None:
            return None
        offset, length = found
        return self._data[offset : offset + length]

    def save(self, used: dict[bytes, bytes]) -> None:
        """Write the cache anew when it lacks an entry of `used`; others stay while they are the minority."""
        if not self._loaded:
            self._load()
        if all(digest in self._entries for digest in used):
            return
        entries = dict(sorted(used.items()))
        size = sum(map(len, entries.values()))
        room = min(size, MAX_CACHE_BYTES - size)
        for digest, (offset, length) in self._entries.items():
            if digest not in entries and length <= room:
                room -= length
                entries[digest] = self._data[offset : offset + length]
        if size > MAX_CACHE_BYTES:
            self.problem = f"the parse cache would be larger than {MAX_CACHE_BYTES // 1_000_000} MB"
            return
        try:
            _replace(self._path, _file_bytes(entries))
            _remove_oldest(self._path.parent)
        except OSError as error:
            self.problem = f"the parse cache cannot be written: {error.strerror or error}"

    def _load(self) -> None:
        self._loaded = True
        try:
            data = _read_ours(self._path)
            magic, checksum, index_length = _HEAD.unpack_from(data)
            if magic != _magic() or zlib.crc32(memoryview(data)[_HEAD.size - 8 :]) != checksum:
                return
            start = _HEAD.size + index_length
            index = msgspec.msgpack.decode(memoryview(data)[_HEAD.size : start], type=_Index)
        except (OSError, struct.error, msgspec.DecodeError, MemoryError):
            return
        self._data = data
        self._entries = {digest: (start + offset, length) for digest, offset, length in index}


def _file_bytes(entries: dict[bytes, bytes]) -> bytes:
    index: _Index = []
    offset = 0
    for digest, encoded in entries.items():
        index.append((digest, offset, len(encoded)))
        offset += len(encoded)
    encoded_index = msgspec.msgpack.encode(index)
    rest = b"".join([struct.pack("<Q", len(encoded_index)), encoded_index, *entries.values()])
    return _magic() + struct.pack("<I", zlib.crc32(rest)) + rest


def _replace(path: Path, data: bytes) -> None:
    import tempfile

    descriptor, temporary = tempfile.mkstemp(prefix=".parse-", dir=path.parent)  # readable by its owner only
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - Path.open takes no descriptor
            file.write(data)
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise


def _is_ours(status: os.stat_result, kind: object) -> bool:
    if not callable(kind) or not kind(status.st_mode):
        return False
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


def _read_ours(path: Path) -> bytes:
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - Path.open takes no descriptor
        status = os.fstat(file.fileno())
        if not _is_ours(status, stat.S_ISREG) or status.st_size > 2 * MAX_CACHE_BYTES:
            return b""
        return file.read()


def _remove_oldest(folder: Path) -> None:
    """Keep the caches of the projects reviewed last."""
    files = sorted(folder.glob("*.parse"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_MAX_PROJECTS:]:
        path.unlink(missing_ok=True)
