"""Covers on disk, under names that the shop makes itself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID, uuid4

import anyio

from app.errors import TooLarge, UnsupportedMedia

MAX_COVER_BYTES = 5 * 1024 * 1024


class CoverType(StrEnum):
    """The kinds of pictures that the shop shows."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"


@dataclass(frozen=True)
class Cover:
    """A stored picture."""

    cover_id: UUID
    media_type: CoverType


def recognise(head: bytes) -> CoverType:
    """Return the kind of a picture by its first bytes: what the client says it is proves nothing.

    Raises:
        UnsupportedMedia: it is none that the shop shows.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return CoverType.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return CoverType.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return CoverType.WEBP
    raise UnsupportedMedia("A cover is a JPEG, PNG or WebP picture.")


class CoverStorage:
    """A folder of pictures; the identifier of a picture is its file's name."""

    def __init__(self, directory: Path) -> None:
        self._directory = anyio.Path(directory)

    async def save(self, chunks: AsyncIterator[bytes]) -> Cover:
        """Store a picture, whole or not at all.

        Raises:
            UnsupportedMedia: it is none that the shop shows.
            TooLarge: it is larger than `MAX_COVER_BYTES`.
        """
        cover_id = uuid4()
        await self._directory.mkdir(parents=True, exist_ok=True)
        partial = self._directory / f"{cover_id}.part"
        try:
            media_type = await self._write(partial, chunks)
            await partial.rename(self.path_of(cover_id))
        finally:
            await partial.unlink(missing_ok=True)
        return Cover(cover_id, media_type)

    async def delete(self, cover_id: UUID) -> None:
        """Delete a picture, if it is there."""
        await self.path_of(cover_id).unlink(missing_ok=True)

    def path_of(self, cover_id: UUID) -> anyio.Path:
        """Return where a picture lies."""
        return self._directory / str(cover_id)

    async def _write(self, path: anyio.Path, chunks: AsyncIterator[bytes]) -> CoverType:
        media_type: CoverType | None = None
        size = 0
        async with await path.open("wb") as file:
            async for chunk in chunks:
                media_type = media_type or recognise(chunk)
                size += len(chunk)
                if size > MAX_COVER_BYTES:
                    raise TooLarge("A cover has at most 5 MB.")
                await file.write(chunk)
        return media_type or recognise(b"")
