"""Uploads over HTTP. The bodies are streams, which no parameter declares: they are read when everything else is decided."""

from contextlib import aclosing
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, status
from fastapi.responses import Response

from ..database import Page, PageQuery
from ..problem_details import (
    Conflict,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    TooLarge,
    UnsupportedMedia,
    problems,
)
from .dependencies import UploadsDep, UploadServiceDep
from .download import Download
from .errors import StorageFull, UploadBroken
from .receiving import file_of, files_of
from .schemas import UploadOut

_BYTES = {"type": "string", "format": "binary"}
_REFUSED = (NotAuthenticated, UploadBroken, TooLarge, UnsupportedMedia, StorageFull)

router = APIRouter(prefix="/uploads", tags=["uploads"])


@router.post(
    "",
    summary="Upload files",
    status_code=status.HTTP_201_CREATED,
    responses=problems(*_REFUSED),
)
async def upload_files(request: Request, uploads: UploadsDep, service: UploadServiceDep) -> list[UploadOut]:
    """Take one or several files, all of them or none. Each part says the type of its file and how it is called."""
    limits = uploads.settings
    async with aclosing(files_of(request, limits.max_request_bytes, limits.max_files)) as files:
        taken = await service.take(files)
    return [UploadOut.model_validate(upload) for upload in taken]


@router.put(
    "/{upload_id}",
    summary="Upload one file",
    status_code=status.HTTP_201_CREATED,
    responses=problems(*_REFUSED, Conflict),
)
async def upload_file(
    upload_id: UUID,
    name: Annotated[str, Query(min_length=1, max_length=255, examples=["cat.png"])],
    request: Request,
    uploads: UploadsDep,
    service: UploadServiceDep,
) -> UploadOut:
    """Take the body as one file. The client makes the identifier, so that a repetition is noticed: it gets 409.

    With a `Content-Digest` (RFC 9530, `sha-256`) it is taken only if it has arrived as it was sent.
    """
    async with aclosing(file_of(request, name, uploads.policy.max_file_bytes)) as file:
        [upload] = await service.take(file, upload_id)
    return UploadOut.model_validate(upload)


@router.get("", summary="List your uploads", responses=problems(NotAuthenticated, InvalidInput))
async def list_uploads(service: UploadServiceDep, query: Annotated[PageQuery, Query()]) -> Page[UploadOut]:
    """Return your uploads, the newest first."""
    return Page[UploadOut].of(await service.page(query))


@router.get("/{upload_id}", summary="Read about an upload", responses=problems(NotAuthenticated, NotFound))
async def read_upload(upload_id: UUID, service: UploadServiceDep) -> UploadOut:
    """Return what is known about one of your uploads."""
    return UploadOut.model_validate(await service.get(upload_id))


@router.get(
    "/{upload_id}/content",
    summary="Download an upload",
    response_class=Response,
    responses={
        200: {"description": "The bytes, as an attachment.", "content": {"*/*": {"schema": _BYTES}}},
        **problems(NotAuthenticated, NotFound),
    },
)
async def download_upload(upload_id: UUID, service: UploadServiceDep) -> Download:
    """Return the bytes of one of your uploads."""
    upload = await service.get(upload_id)
    return Download(upload, service.read(upload))


@router.delete(
    "/{upload_id}",
    summary="Delete an upload",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotAuthenticated, NotFound, Conflict),
)
async def delete_upload(upload_id: UUID, service: UploadServiceDep) -> None:
    """Delete one of your uploads for good, unless something of the service still needs it: that is 409."""
    await service.delete(upload_id)
