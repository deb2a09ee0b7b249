"""What may happen to covers."""

import logging
from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.covers.repository import CoverRepository
from app.covers.storage import Cover, CoverStorage
from app.errors import NotFound

logger = logging.getLogger(__name__)


class CoverService:
    """Replaces and finds the covers of books."""

    def __init__(self, session: AsyncSession, covers: CoverRepository, storage: CoverStorage) -> None:
        self._session = session
        self._covers = covers
        self._storage = storage

    async def replace_cover(self, book_id: UUID, chunks: AsyncIterator[bytes]) -> None:
        """Give a book a cover.

        Raises:
            NotFound: there is no such book.
            UnsupportedMedia, TooLarge: the picture is refused.
        """
        cover = await self._storage.save(chunks)
        try:
            former = await self._assign(book_id, cover)
        except Exception:
            await self._storage.delete(cover.cover_id)
            raise
        if former is not None:
            await self._storage.delete(former)

    async def find_cover(self, book_id: UUID) -> Cover:
        """Return the cover of a book, or raise NotFound."""
        cover = await self._covers.find(book_id)
        if cover is None:
            raise NotFound("There is no such cover.")
        return cover

    async def _assign(self, book_id: UUID, cover: Cover) -> UUID | None:
        book = await self._covers.lock_book(book_id)
        if book is None:
            raise NotFound("There is no such book.")
        former = book.cover_id
        book.cover_id = cover.cover_id
        book.cover_media_type = cover.media_type
        await self._session.commit()
        logger.info("cover replaced", extra={"book_id": book_id})
        return former
