"""The bytes of files in PostgreSQL: every process that reaches the database has them, on whichever machine it runs.

A file is a row and its chunks. Each chunk is written in a transaction of its own, so that no transaction and no connection is
held while a client takes its time, and read in one. Whatever fails in the middle leaves a row that is not finished: nobody can
read it, and a sweep deletes it.
"""

import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TypeVar

import anyio
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync
from sqlalchemy import Interval, LargeBinary, cast, delete, func, insert, literal, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..database import Database
from ..problem_details import Unavailable
from .errors import StorageFull
from .models import StoredChunk, StoredFile

logger = logging.getLogger(__name__)

#: Bytes of a chunk; the last one of a file is shorter.
CHUNK = 1024 * 1024
#: Of so many chunks PostgreSQL is asked to delete at once: each is five hundred rows of its own.
_DELETED_AT_ONCE = 16
_LISTED_AT_ONCE = 500
#: Connections that a process opens for chunks, at most.
CONNECTIONS = 4
#: What the policy of the table of chunks reads: the key of the one file whose chunks a transaction sees.
KEY = "uploads.key"

_limiter: RunVar[anyio.CapacityLimiter] = RunVar("uploads_connections")
Result = TypeVar("Result")


class DatabaseStorage:
    """Files in the tables `stored_files` and `stored_chunks`.

    Args:
        database: its synchronous sessions are used, in threads: so that a worker and a server store alike.
        most_bytes: of all files together; None: as many as there is room for. What arrives while they are counted comes on top.
    """

    def __init__(self, database: Database, most_bytes: int | None = None) -> None:
        self._database = database
        self._most_bytes = most_bytes

    @asynccontextmanager
    async def create(self, key: str) -> AsyncIterator["_DatabaseSink"]:
        """Store a file whole or not at all.

        Raises:
            StorageFull: there are as many bytes as there may be.
            Unavailable: it was swept away while it arrived, or PostgreSQL lost a part of it.
        """
        await self._in_thread(self._begin, key)
        try:
            sink = _DatabaseSink(functools.partial(self._in_thread, self._append, key))
            yield sink
            await sink.flush()
            await self._in_thread(self._finish, key, sink.chunks)
        except BaseException:
            # Shielded, since this is also how the request of a client ends who hangs up.
            with anyio.CancelScope(shield=True):
                await self._abandon(key)
            raise

    @asynccontextmanager
    async def read(self, key: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the bytes of a file.

        Raises:
            FileNotFoundError: there is none, or it was deleted while it was read.
        """
        count = await self._in_thread(self._count, key)

        async def chunks() -> AsyncIterator[bytes]:
            for number in range(count):
                yield await self._in_thread(self._chunk, key, number)

        yield chunks()

    async def delete(self, key: str) -> None:
        """Delete a file, finished or not, if it is there."""
        # First nobody sees it any more: whoever is stopped in the middle of the rest leaves what a sweep looks for.
        if await self._in_thread(self._hide, key):
            while await self._in_thread(self._delete_chunks, key):
                pass
            await self._in_thread(self._delete_row, key)

    async def keys(self, older_than: float) -> AsyncIterator[str]:
        """Yield the keys of old files."""
        last = ""
        while found := await self._in_thread(self._old_keys, older_than, last):
            for key in found:
                yield key
            last = found[-1]

    async def check(self) -> None:
        """Raise what PostgreSQL says, if the tables cannot be read."""
        # Not in a thread: a probe that gives up must not wait for one.
        async with self._database.engine.connect() as connection:
            await connection.execute(select(StoredFile.key).limit(1))

    async def _abandon(self, key: str) -> None:
        try:
            await self.delete(key)
        except SQLAlchemyError:
            # It must not hide why the file is abandoned, such as that PostgreSQL is gone.
            logger.warning("a part of a file is left to be swept", exc_info=True)

    async def _in_thread(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call a function in a thread, not more of them at once than there are connections for it."""
        # Made here and not in the threads, two of which would make two.
        _ = self._database.sync_sessions
        try:
            limiter = _limiter.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(CONNECTIONS)
            _limiter.set(limiter)
        return await run_sync(functools.partial(function, *arguments), limiter=limiter)

    @contextmanager
    def _transaction(self, key: str = "", *, wait_for_disk: bool = True) -> Iterator[Session]:
        with self._database.sync_sessions.begin() as session:
            settings = [func.set_config(KEY, key, True)]
            if not wait_for_disk:
                settings.append(func.set_config("synchronous_commit", "off", True))
            session.execute(select(*settings))
            yield session

    def _begin(self, key: str) -> None:
        with self._transaction() as session:
            if self._most_bytes is not None:
                stored = session.execute(select(func.coalesce(func.sum(StoredFile.size), 0))).scalar_one()
                if stored >= self._most_bytes:
                    raise StorageFull
            session.execute(insert(StoredFile).values(key=key))

    def _append(self, key: str, number: int, data: bytes) -> None:
        grown = (
            update(StoredFile)
            .where(StoredFile.key == key, StoredFile.finished_at.is_(None), StoredFile.chunks == number)
            .values(chunks=StoredFile.chunks + 1, size=StoredFile.size + len(data))
            .returning(StoredFile.key)
            .cte("grown")
        )
        row = select(grown.c.key, literal(number), literal(data, LargeBinary))
        statement = (
            insert(StoredChunk).from_select(["key", "number", "data"], row).returning(StoredChunk.number)
        )
        # The transaction that finishes the file waits for the disk, and what was committed before it is on it then, too.
        with self._transaction(key, wait_for_disk=False) as session:
            _require(session.execute(statement).first() is not None)

    def _finish(self, key: str, chunks: int) -> None:
        finished = (
            update(StoredFile)
            .where(StoredFile.key == key, StoredFile.finished_at.is_(None), StoredFile.chunks == chunks)
            .values(finished_at=func.now())
            .returning(StoredFile.key)
        )
        with self._transaction() as session:
            _require(session.execute(finished).first() is not None)

    def _count(self, key: str) -> int:
        statement = select(StoredFile.chunks).where(
            StoredFile.key == key, StoredFile.finished_at.is_not(None)
        )
        with self._transaction() as session:
            count = session.execute(statement).scalar_one_or_none()
        if count is None:
            raise FileNotFoundError("there is no such file in the storage")
        return count

    def _chunk(self, key: str, number: int) -> bytes:
        statement = select(StoredChunk.data).where(StoredChunk.key == key, StoredChunk.number == number)
        with self._transaction(key) as session:
            data = session.execute(statement).scalar_one_or_none()
        if data is None:
            raise FileNotFoundError("the file was deleted while it was read")
        return data

    def _hide(self, key: str) -> bool:
        hidden = update(StoredFile).where(StoredFile.key == key).values(finished_at=None)
        with self._transaction() as session:
            return session.connection().execute(hidden).rowcount > 0

    def _delete_chunks(self, key: str) -> bool:
        some = (
            select(StoredChunk.number)
            .where(StoredChunk.key == key)
            .order_by(StoredChunk.number)
            .limit(_DELETED_AT_ONCE)
        )
        statement = delete(StoredChunk).where(StoredChunk.key == key, StoredChunk.number.in_(some))
        with self._transaction(key) as session:
            return session.connection().execute(statement).rowcount == _DELETED_AT_ONCE

    def _delete_row(self, key: str) -> None:
        # A chunk that arrived meanwhile goes with it.
        with self._transaction() as session:
            session.execute(delete(StoredFile).where(StoredFile.key == key))

    def _old_keys(self, older_than: float, after: str) -> list[str]:
        age = cast(timedelta(seconds=older_than), Interval)
        statement = (
            select(StoredFile.key)
            .where(
                StoredFile.key > after,
                func.coalesce(StoredFile.finished_at, StoredFile.created_at) < func.now() - age,
            )
            .order_by(StoredFile.key)
            .limit(_LISTED_AT_ONCE)
        )
        with self._transaction() as session:
            return list(session.execute(statement).scalars())


class _DatabaseSink:
    def __init__(self, append: Callable[[int, bytes], Awaitable[None]]) -> None:
        self._append = append
        self._pending = bytearray()
        self.chunks = 0

    async def write(self, chunk: bytes) -> None:
        self._pending += chunk
        while len(self._pending) >= CHUNK:
            await self._store(bytes(self._pending[:CHUNK]))
            del self._pending[:CHUNK]

    async def flush(self) -> None:
        if self._pending:
            await self._store(bytes(self._pending))
            self._pending.clear()

    async def _store(self, data: bytes) -> None:
        await self._append(self.chunks, data)
        self.chunks += 1


def _require(is_whole: bool) -> None:
    if not is_whole:
        raise Unavailable("The file could not be stored whole; send it again.", retry_after=1)
