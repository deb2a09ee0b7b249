"""Pictures of books."""

import uuid
from typing import Annotated

import requests
from fastapi import APIRouter, Form, HTTPException, Path, Query, Response, UploadFile
from fastapi.responses import FileResponse
from sqlalchemy import select

from app.core.database import SessionDep
from app.core.errors import NotFound
from app.dependencies import CurrentUser
from app.models import Cover
from app.schemas.catalogue import CoverImport, CoverOut, CoverProperties
from app.schemas.fields import AfterId, EntityId, PageLimit
from app.services import cover_fetcher, cover_service, cover_storage

router = APIRouter(prefix="/covers", tags=["covers"])


@router.post("", response_model=CoverOut, status_code=201)
def upload_cover(
    file: UploadFile, book_id: Annotated[EntityId, Form()], user: CurrentUser, session: SessionDep, response: Response
) -> Cover:
    """Store a picture of a book."""
    cover_storage.check_type(file.content_type)
    content = file.file.read()  # finding: upload-read-without-limit
    filename = cover_storage.save(file.filename or "cover.png", content)
    cover = cover_service.register(session, book_id, user.id, filename)
    response.headers["Location"] = f"/api/v1/covers/{cover.id}/properties"
    return cover


@router.post("/imports", response_model=CoverOut, status_code=201)
def import_cover(payload: CoverImport, user: CurrentUser, session: SessionDep, response: Response) -> Cover:
    """Store a picture that a publisher offers on their own site."""
    try:
        content = cover_fetcher.fetch(str(payload.source_url))
    except requests.RequestException as exc:
        raise HTTPException(status_code=502, detail=str(exc)) from exc  # finding: exception-text-returned-to-client
    filename = cover_storage.save(f"{uuid.uuid4().hex}.png", content)
    cover = cover_service.register(session, payload.book_id, user.id, filename)
    response.headers["Location"] = f"/api/v1/covers/{cover.id}/properties"
    return cover


@router.get("/{cover_id}/properties")
def get_cover_properties(
    cover_id: EntityId,
    user: CurrentUser,
    session: SessionDep,
    pattern: Annotated[str, Query(min_length=2, max_length=60)] = "%w x %h",
) -> CoverProperties:
    """What a cover of one's own is like."""
    cover = session.scalar(select(Cover).where(Cover.id == cover_id, Cover.uploaded_by == user.id))
    if cover is None:
        raise NotFound("There is no such cover.")
    return CoverProperties(description=cover_storage.describe(cover.filename, pattern))


@router.get("", response_model=list[CoverOut])
def list_covers(session: SessionDep, book_id: EntityId, after: AfterId = 0, limit: PageLimit = 20) -> list[Cover]:
    """A page of the pictures of a book."""
    statement = select(Cover).where(Cover.book_id == book_id, Cover.id > after).order_by(Cover.id).limit(limit)
    return list(session.scalars(statement))


@router.get("/{name:path}", response_class=FileResponse)
def download_cover(name: Annotated[str, Path(max_length=255)]) -> FileResponse:
    """A picture."""
    if not cover_storage.exists(name):
        raise NotFound("There is no such cover.")
    return FileResponse(cover_storage.locate(name))
