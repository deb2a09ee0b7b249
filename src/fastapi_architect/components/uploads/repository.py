"""Queries for uploads. Each one names the owner."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from .models import Upload


class UploadRepository:
    """Finds and keeps the rows of uploads."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, owner_id: UUID, upload_id: UUID) -> Upload | None:
        """Return an upload of this owner."""
        statement = select(Upload).where(Upload.owner_id == owner_id, Upload.id == upload_id)
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def page(self, owner_id: UUID, before: UUID | None, limit: int) -> Sequence[Upload]:
        """Return uploads of this owner, the newest first, from the one that follows `before`."""
        statement = select(Upload).where(Upload.owner_id == owner_id).order_by(Upload.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(Upload.id < before)
        return (await self._session.execute(statement)).scalars().all()

    async def is_taken(self, upload_id: UUID) -> bool:
        """Tell whether anybody's upload has this identifier."""
        statement = select(Upload.id).where(Upload.id == upload_id)
        return (await self._session.execute(statement)).first() is not None

    async def used_bytes(self, owner_id: UUID) -> int:
        """Return how much this owner has uploaded."""
        statement = select(func.coalesce(func.sum(Upload.size), 0)).where(Upload.owner_id == owner_id)
        return int((await self._session.execute(statement)).scalar_one())

    async def lock_owner(self, owner_id: UUID) -> None:
        """Wait until nobody else records files of this owner, and keep it so until the commit."""
        lock = func.pg_advisory_xact_lock(func.hashtextextended(f"uploads:{owner_id}", 0))
        await self._session.execute(select(lock))

    async def known_keys(self, keys: Sequence[str]) -> set[str]:
        """Return those of the keys that some upload has."""
        statement = select(Upload.storage_key).where(Upload.storage_key.in_(keys))
        return set((await self._session.execute(statement)).scalars())

    def add(self, upload: Upload) -> None:
        """Add an upload."""
        self._session.add(upload)

    async def delete(self, upload: Upload) -> None:
        """Delete an upload."""
        await self._session.delete(upload)
