"""Notes over HTTP."""

from typing import Annotated
from uuid import UUID

# [with rate_limiting]
from fastapi import APIRouter, Depends, Query, Request, Response, status
# [without rate_limiting]
from fastapi import APIRouter, Query, Request, Response, status
# [end]

from app.components.database import Page, PreconditionRequired, SeenVersionDep, etag
# [with idempotency]
from app.components.idempotency import IdempotentRequestDep
# [end]
from app.components.problem_details import Conflict, InvalidInput, NotFound, PreconditionFailed, problems
# [with rate_limiting]
from app.components.rate_limiting import limit
# [end]

from .dependencies import NoteReaderDep, NoteWriterDep
from .schemas import NewNote, NoteChange, NoteQuery, PublishedNote

router = APIRouter(prefix="/notes", tags=["notes"])

OF_READING = problems(NotFound)
OF_CHANGING = problems(NotFound, PreconditionFailed, PreconditionRequired)


@router.post(
    "",
    summary="Write a note",
    status_code=status.HTTP_201_CREATED,
    responses=problems(Conflict),
    # [with rate_limiting]
    dependencies=[Depends(limit("60/minute", by="principal"))],
    # [end]
)
async def write_note(
    new: NewNote,
    service: NoteWriterDep,
    # [with idempotency]
    # Behind the service, which finds out for whom the caller acts: that is a part of the key.
    repeated: IdempotentRequestDep,
    # [end]
    request: Request,
    response: Response,
) -> PublishedNote:
    # [with idempotency]
    """Keep a note; with an `Idempotency-Key` it is kept once, however often the request is sent."""
    note = await service.write(new, repeated)
    # [without idempotency]
    """Keep a note."""
    note = await service.write(new)
    # [end]
    response.headers["Location"] = request.app.url_path_for("read_note", note_id=str(note.id))
    response.headers["ETag"] = etag(note)
    return PublishedNote.model_validate(note)


@router.get("", summary="List notes", responses=problems(InvalidInput))
async def list_notes(query: Annotated[NoteQuery, Query()], service: NoteReaderDep) -> Page[PublishedNote]:
    """Return a page of the notes that the caller may read."""
    return Page[PublishedNote].of(await service.list(query))


@router.get("/{note_id}", summary="Read a note", responses=OF_READING)
async def read_note(note_id: UUID, service: NoteReaderDep, response: Response) -> PublishedNote:
    """Return a note; a change of it has to name its ETag."""
    note = await service.read(note_id)
    response.headers["ETag"] = etag(note)
    return PublishedNote.model_validate(note)


@router.patch("/{note_id}", summary="Change a note", responses=OF_CHANGING)
async def change_note(
    note_id: UUID, service: NoteWriterDep, seen: SeenVersionDep, change: NoteChange, response: Response
) -> PublishedNote:
    """Change the fields that are sent, if nobody changed the note in between."""
    note = await service.change(note_id, seen, change)
    response.headers["ETag"] = etag(note)
    return PublishedNote.model_validate(note)


@router.delete(
    "/{note_id}", summary="Delete a note", status_code=status.HTTP_204_NO_CONTENT, responses=OF_CHANGING
)
async def delete_note(note_id: UUID, service: NoteWriterDep, seen: SeenVersionDep) -> None:
    """Delete a note, if nobody changed it in between."""
    await service.delete(note_id, seen)
