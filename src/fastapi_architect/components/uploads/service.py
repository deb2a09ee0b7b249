"""What may happen to uploads."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from uuid import UUID

import anyio
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from ..database import Database, PageQuery, Slice
from ..problem_details import Conflict
from .errors import QuotaExceeded, UploadBroken
from .incoming import IncomingFile
from .inspection import Inspection, kind_of
from .models import Upload
from .names import display_name
from .policy import Stored, UploadPolicy
from .repository import UploadRepository, known_keys
from .storage import Storage, new_key

logger = logging.getLogger(__name__)

#: A file without a row is left alone for so many seconds: its row may be under way.
ORPHAN_SECONDS = 24 * 60 * 60
_BATCH = 500


class UploadService:
    """Takes, finds and deletes the files of one owner."""

    def __init__(self, session: AsyncSession, owner_id: UUID, storage: Storage, policy: UploadPolicy) -> None:
        self._session = session
        self._owner_id = owner_id
        self._uploads = UploadRepository(session, owner_id)
        self._storage = storage
        self._policy = policy

    async def take(self, files: AsyncIterator[IncomingFile], upload_id: UUID | None = None) -> list[Upload]:
        """Take files, all of them or none.

        Args:
            files: as they arrive.
            upload_id: of the only file; None: a new one for each.

        Raises:
            UnsupportedMedia, TooLarge, QuotaExceeded, UploadBroken, StorageFull: a file is refused.
            Conflict: there is an upload with this identifier.
        """
        left = await self._bytes_left(upload_id)
        kept: list[Stored] = []
        try:
            async for file in files:
                kept.append(await self._keep(file, left - sum(stored.size for stored in kept)))
            return await self._record(kept, upload_id)
        except BaseException:
            with anyio.CancelScope(shield=True):
                for stored in kept:
                    await self._storage.delete(stored.key)
            raise

    async def get(self, upload_id: UUID) -> Upload:
        """Return an upload of the owner.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        return await self._uploads.get(upload_id)

    async def page(self, query: PageQuery) -> Slice[Upload]:
        """Return a page of the owner's uploads, the newest first."""
        return await self._uploads.list(query)

    def read(self, upload: Upload) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Give the bytes of an upload."""
        return self._storage.read(upload.storage_key)

    async def delete(self, upload_id: UUID) -> None:
        """Delete an upload of the owner.

        Raises:
            NotFound: there is none, or it is somebody else's.
            Conflict: another table refers to it, by a foreign key of yours.
        """
        upload = await self.get(upload_id)
        await self._uploads.delete(upload)
        try:
            await self._session.commit()
        except IntegrityError as error:
            await self._session.rollback()
            raise Conflict("This file is in use; delete it when that is over.") from error
        # After the commit: a row without its file would be an error to somebody, a file without a row is swept away.
        await self._storage.delete(upload.storage_key)
        logger.info("upload deleted", extra={"upload_id": str(upload_id)})

    async def _bytes_left(self, upload_id: UUID | None) -> int:
        if upload_id is not None and await self._uploads.is_taken(upload_id):
            raise Conflict(self._uploads.duplicate)
        left = await self._policy.quota(self._session, self._owner_id)
        # Ends the transaction, and with it the hold on a connection: a slow client would keep it for minutes.
        await self._session.commit()
        if left <= 0:
            raise QuotaExceeded
        return left

    async def _keep(self, file: IncomingFile, left: int) -> Stored:
        name = display_name(file.name)
        kind = kind_of(name, file.media_type, self._policy.kinds)
        inspection = Inspection(kind, self._policy.max_file_bytes)
        key = new_key()
        async with self._storage.create(key) as sink:
            async for chunk in file.chunks:
                inspection.add(chunk)
                if inspection.size > left:
                    raise QuotaExceeded
                await sink.write(chunk)
            inspection.finish()
            if file.sha256 not in (None, inspection.sha256):
                raise UploadBroken("What arrived is not what its digest says.")
        stored = Stored(key, name, kind.media_type, inspection.size, inspection.sha256)
        try:
            await self._policy.examine(self._storage, stored)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._storage.delete(key)
            raise
        return stored

    async def _record(self, kept: Sequence[Stored], upload_id: UUID | None) -> list[Upload]:
        await self._uploads.lock_owner()
        # Again, now that nobody else of this owner is counting: two files at once could each have found room.
        if sum(stored.size for stored in kept) > await self._policy.quota(self._session, self._owner_id):
            raise QuotaExceeded
        uploads = [
            Upload(
                id=upload_id or uuid7(),
                owner_id=self._owner_id,
                storage_key=stored.key,
                name=stored.name,
                media_type=stored.media_type,
                size=stored.size,
                sha256=stored.sha256,
            )
            for stored in kept
        ]
        for upload in uploads:
            await self._uploads.add(upload)
        await self._session.commit()
        logger.info(
            "uploads taken", extra={"count": len(uploads), "bytes": sum(stored.size for stored in kept)}
        )
        return uploads


async def remove_orphans(session: AsyncSession, storage: Storage, older_than: float = ORPHAN_SECONDS) -> int:
    """Delete files without a row, which a crash leaves, and return how many; for a periodic task.

    Args:
        session: of the service, not of one owner, with nothing uncommitted: no transaction is open while files are deleted.
        storage: of the uploads.
        older_than: seconds; longer than any upload takes.
    """

    async def known(keys: Sequence[str]) -> set[str]:
        found = set((await session.execute(known_keys(keys))).scalars())
        await session.commit()
        return found

    return await _remove_unknown(storage, older_than, known)


def remove_orphans_in_worker(database: Database, storage: Storage, older_than: float = ORPHAN_SECONDS) -> int:
    """The same for a worker, which is synchronous."""

    async def known(keys: Sequence[str]) -> set[str]:
        # Nothing else runs in this loop, so that nobody waits for it.
        with database.sync_sessions.begin() as session:
            return set(session.execute(known_keys(keys)).scalars())

    return asyncio.run(_remove_unknown(storage, older_than, known))


async def _remove_unknown(
    storage: Storage, older_than: float, known: Callable[[Sequence[str]], Awaitable[set[str]]]
) -> int:
    removed = 0
    async with aclosing(_batches(storage, older_than)) as batches:
        async for batch in batches:
            known_ones = await known(batch)
            for key in batch:
                if key not in known_ones:
                    await storage.delete(key)
                    removed += 1
    return removed


async def _batches(storage: Storage, older_than: float) -> AsyncGenerator[list[str], None]:
    batch: list[str] = []
    async for key in storage.keys(older_than):
        batch.append(key)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch
