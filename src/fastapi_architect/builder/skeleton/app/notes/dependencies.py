"""How an operation asks for notes."""

from typing import Annotated

from fastapi import Depends

from app.components.access import CurrentPrincipal
from app.components.database import SessionDep

from .service import NoteService


async def get_note_service(session: SessionDep, principal: CurrentPrincipal) -> NoteService:
    """Return the service for the caller's notes, on the session of this request."""
    return NoteService(session, principal.id)


NoteServiceDep = Annotated[NoteService, Depends(get_note_service)]
