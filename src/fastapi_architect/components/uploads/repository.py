"""Queries for the uploads of one owner; each one names them."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import Order, Repository
from .models import Upload


class UploadRepository(Repository[Upload]):
    """Finds and keeps the rows of uploads."""

    model = Upload
    orders: ClassVar = {"newest": Order(Upload.id, descending=True)}
    missing = "There is no such upload."
    duplicate = "There is an upload with this identifier."

    def __init__(self, session: AsyncSession, owner_id: UUID) -> None:
        super().__init__(session)
        self._owner_id = owner_id

    def visible(self) -> Select[Upload]:
        """Return the query of the owner's uploads."""
        return super().visible().where(Upload.owner_id == self._owner_id)

    async def is_taken(self, upload_id: UUID) -> bool:
        """Tell whether anybody's upload has this identifier."""
        statement = select(Upload.id).where(Upload.id == upload_id)
        return (await self._session.execute(statement)).first() is not None

    async def used_bytes(self) -> int:
        """Return how much the owner has uploaded."""
        statement = select(func.coalesce(func.sum(Upload.size), 0)).where(Upload.owner_id == self._owner_id)
        return int((await self._session.execute(statement)).scalar_one())

    async def lock_owner(self) -> None:
        """Wait until nobody else records files of the owner, and keep it so until the commit."""
        lock = func.pg_advisory_xact_lock(func.hashtextextended(f"uploads:{self._owner_id}", 0))
        await self._session.execute(select(lock))

    async def delete(self, upload: Upload) -> None:
        """Delete an upload."""
        await self._session.delete(upload)


def known_keys(keys: Sequence[str]) -> Select[str]:
    """Return the query for those of the keys that anybody's upload has."""
    return select(Upload.storage_key).where(Upload.storage_key.in_(keys))
