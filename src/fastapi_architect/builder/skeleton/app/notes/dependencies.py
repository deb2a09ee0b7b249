# [with tenancy]
"""How an operation asks for notes, and what the caller's role in the organisation has to allow for it."""

from typing import Annotated

from fastapi import Depends

from app.components.database import SessionDep
from app.components.service import Principal
from app.components.tenancy import require_in_tenant, tenant_of

from .repository import NoteRepository
from .service import NoteService


async def get_note_reader(
    session: SessionDep, member: Annotated[Principal, Depends(require_in_tenant("notes:read"))]
) -> NoteService:
    """Return the service for the organisation's notes to a member who may read them."""
    return NoteService(session, NoteRepository(session, tenant_of(member), member.id))


async def get_note_writer(
    session: SessionDep, member: Annotated[Principal, Depends(require_in_tenant("notes:write"))]
) -> NoteService:
    """Return the service for the organisation's notes to a member who may change them."""
    return NoteService(session, NoteRepository(session, tenant_of(member), member.id))


NoteReaderDep = Annotated[NoteService, Depends(get_note_reader)]
NoteWriterDep = Annotated[NoteService, Depends(get_note_writer)]
# [without tenancy]
"""How an operation asks for notes."""

from typing import Annotated

from fastapi import Depends

from app.components.access import CurrentPrincipal
from app.components.database import SessionDep

from .repository import NoteRepository
from .service import NoteService


async def get_note_service(session: SessionDep, principal: CurrentPrincipal) -> NoteService:
    """Return the service for the caller's notes, on the session of this request."""
    return NoteService(session, NoteRepository(session, principal.id))


#: Who owns notes may do both. Where that is not so, let one of them ask for a permission: `require("notes:write")`.
NoteReaderDep = Annotated[NoteService, Depends(get_note_service)]
NoteWriterDep = Annotated[NoteService, Depends(get_note_service)]
# [end]
