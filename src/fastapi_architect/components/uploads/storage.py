"""Where the bytes of files lie, under names that the service makes itself: the port, and a directory."""

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import anyio
from anyio.to_thread import run_sync

from .errors import StorageFull

CHUNK = 256 * 1024
_KEY = re.compile(r"[0-9a-f]{32}")


class Sink(Protocol):
    """A file that is being stored."""

    async def write(self, chunk: bytes) -> None:
        """Append bytes."""


class Storage(Protocol):
    """A place for files.

    `LocalStorage` is a directory, `DatabaseStorage` PostgreSQL; one on an object store maps `create` to a multipart upload.
    """

    def create(self, key: str) -> AbstractAsyncContextManager[Sink]:
        """Store a file whole or not at all: it is there after the block was left without an exception, and only then."""

    def read(self, key: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Give the bytes of a file.

        Raises:
            FileNotFoundError: there is none, or it was deleted while it was read.
        """

    async def delete(self, key: str) -> None:
        """Delete a file, if it is there."""

    def keys(self, older_than: float) -> AsyncIterator[str]:
        """Yield the keys of files that are older than so many seconds, also of those that were never finished."""

    async def check(self) -> None:
        """Raise if nothing can be stored."""


def new_key() -> str:
    """Return a name that nobody can guess and that holds nothing of the client's."""
    return secrets.token_hex(16)


class LocalStorage:
    """Files in a directory that is served by nothing else; several hosts need a shared one.

    Args:
        directory: of the service alone.
        keep_free: bytes of the disk that are left to others.
    """

    def __init__(self, directory: Path, keep_free: int = 0) -> None:
        self._directory = directory
        self._keep_free = keep_free

    @asynccontextmanager
    async def create(self, key: str) -> AsyncIterator[Sink]:
        """Store a file whole or not at all."""
        final = self._path(key)
        partial = self._partial(key)
        file = await run_sync(self._begin, partial)
        try:
            sink = _LocalSink(file)
            yield sink
            await sink.flush()
            await run_sync(_finish, file, partial, final)
        except BaseException as error:
            # Shielded, since this is also how the request of a client ends who hangs up.
            with anyio.CancelScope(shield=True):
                await run_sync(_abandon, file, partial)
            if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise StorageFull from error
            raise

    @asynccontextmanager
    async def read(self, key: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the bytes of a file."""
        async with await anyio.open_file(self._path(key), "rb") as file:

            async def chunks() -> AsyncIterator[bytes]:
                while chunk := await file.read(CHUNK):
                    yield chunk

            yield chunks()

    async def delete(self, key: str) -> None:
        """Delete a file, finished or not, if it is there."""
        for path in (self._path(key), self._partial(key)):
            await anyio.Path(path).unlink(missing_ok=True)

    async def keys(self, older_than: float) -> AsyncIterator[str]:
        """Yield the keys of old files."""
        for key in await run_sync(self._old_keys, time.time() - older_than):
            yield key

    async def check(self) -> None:
        """Raise OSError if nothing can be stored."""
        await run_sync(self._make_folder, self._directory / "partial")
        if not os.access(self._directory / "partial", os.W_OK):
            raise PermissionError(f"{self._directory} cannot be written to")

    def _path(self, key: str) -> Path:
        # The pattern is why no key, wherever it comes from, leads out of the directory.
        if not _KEY.fullmatch(key):
            raise FileNotFoundError("this is not a key")
        return self._directory / key[:2] / key

    def _partial(self, key: str) -> Path:
        return self._directory / "partial" / self._path(key).name

    def _begin(self, partial: Path) -> BinaryIO:
        self._make_folder(partial.parent)
        if shutil.disk_usage(self._directory).free < self._keep_free:
            raise StorageFull
        return os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _old_keys(self, before: float) -> list[str]:
        return [
            path.name
            for path in self._directory.glob("*/*")
            if _KEY.fullmatch(path.name) and path.stat(follow_symlinks=False).st_mtime < before
        ]


class _LocalSink:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._pending = bytearray()

    async def write(self, chunk: bytes) -> None:
        self._pending += chunk
        if len(self._pending) >= CHUNK:
            await self.flush()

    async def flush(self) -> None:
        data, self._pending = bytes(self._pending), bytearray()
        await run_sync(_write_all, self._file, data)


def _write_all(file: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _finish(file: BinaryIO, partial: Path, final: Path) -> None:
    os.fsync(file.fileno())
    file.close()
    final.parent.mkdir(mode=0o700, exist_ok=True)
    partial.rename(final)  # within one disk: the file is there whole, or is not there
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _abandon(file: BinaryIO, partial: Path) -> None:
    file.close()
    partial.unlink(missing_ok=True)
