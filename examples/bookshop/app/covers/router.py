"""Covers over HTTP."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, UploadFile, status
from fastapi.responses import FileResponse

from app.covers.dependencies import CoverServiceDep, CoverStorageDep
from app.problems import CONFLICT, NOT_FOUND, TOO_LARGE, TOO_MANY_REQUESTS, UNAVAILABLE, UNSUPPORTED_MEDIA
from app.throttles import throttle_browsing, throttle_uploads

CHUNK = 64 * 1024

public = APIRouter(
    prefix="/books",
    tags=["covers"],
    dependencies=[Depends(throttle_browsing)],
    responses={429: TOO_MANY_REQUESTS, 503: UNAVAILABLE},
)
admins = APIRouter(prefix="/books", tags=["covers"])


async def in_chunks(upload: UploadFile) -> AsyncIterator[bytes]:
    """Yield the bytes of an upload, a little at a time."""
    while chunk := await upload.read(CHUNK):
        yield chunk


@public.get(
    "/{book_id}/cover",
    summary="Read the cover of a book",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}, "image/webp": {}}}, 404: NOT_FOUND},
)
async def read_cover(book_id: UUID, service: CoverServiceDep, storage: CoverStorageDep) -> FileResponse:
    """Return the picture."""
    cover = await service.find_cover(book_id)
    return FileResponse(
        storage.path_of(cover.cover_id),
        media_type=cover.media_type,
        headers={"Cache-Control": "public, max-age=3600"},
    )


@admins.put(
    "/{book_id}/cover",
    summary="Replace the cover of a book",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[Depends(throttle_uploads)],
    responses={
        404: NOT_FOUND,
        409: CONFLICT,
        413: TOO_LARGE,
        415: UNSUPPORTED_MEDIA,
        429: TOO_MANY_REQUESTS,
        503: UNAVAILABLE,
    },
)
async def replace_cover(
    book_id: UUID,
    picture: Annotated[UploadFile, File(description="A JPEG, PNG or WebP picture of at most 5 MB.")],
    service: CoverServiceDep,
) -> None:
    """Store a picture as the cover of a book."""
    await service.replace_cover(book_id, in_chunks(picture))
