"""Notes over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status

from app.components.database import Page, PreconditionRequired, SeenVersionDep, etag
from app.components.problem_details import Conflict, InvalidInput, NotFound, PreconditionFailed, problems

from .dependencies import NoteServiceDep
from .schemas import NewNote, NoteChange, NoteQuery, PublishedNote

router = APIRouter(prefix="/notes", tags=["notes"])

OF_READING = problems(NotFound)
OF_CHANGING = problems(NotFound, PreconditionFailed, PreconditionRequired)


@router.post("", summary="Write a note", status_code=status.HTTP_201_CREATED, responses=problems(Conflict))
async def write_note(
    new: NewNote, service: NoteServiceDep, request: Request, response: Response
) -> PublishedNote:
    """Keep a note of the caller's."""
    note = await service.write(new)
    response.headers["Location"] = request.app.url_path_for("read_note", note_id=str(note.id))
    response.headers["ETag"] = etag(note)
    return PublishedNote.model_validate(note)


@router.get("", summary="List notes", responses=problems(InvalidInput))
async def list_notes(query: Annotated[NoteQuery, Query()], service: NoteServiceDep) -> Page[PublishedNote]:
    """Return a page of the caller's notes."""
    return Page[PublishedNote].of(await service.list(query))


@router.get("/{note_id}", summary="Read a note", responses=OF_READING)
async def read_note(note_id: UUID, service: NoteServiceDep, response: Response) -> PublishedNote:
    """Return a note of the caller's; a change of it has to name its ETag."""
    note = await service.read(note_id)
    response.headers["ETag"] = etag(note)
    return PublishedNote.model_validate(note)


@router.patch("/{note_id}", summary="Change a note", responses=OF_CHANGING)
async def change_note(
    note_id: UUID, seen: SeenVersionDep, change: NoteChange, service: NoteServiceDep, response: Response
) -> PublishedNote:
    """Change the fields that are sent, if nobody changed the note in between."""
    note = await service.change(note_id, seen, change)
    response.headers["ETag"] = etag(note)
    return PublishedNote.model_validate(note)


@router.delete(
    "/{note_id}", summary="Delete a note", status_code=status.HTTP_204_NO_CONTENT, responses=OF_CHANGING
)
async def delete_note(note_id: UUID, seen: SeenVersionDep, service: NoteServiceDep) -> None:
    """Delete a note, if nobody changed it in between."""
    await service.delete(note_id, seen)
