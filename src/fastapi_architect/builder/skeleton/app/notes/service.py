"""What may happen to notes. Nothing here knows HTTP."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.components.database import SeenVersion, Slice
# [with idempotency]
from app.components.idempotency import IdempotentRequest, perform_once
# [end]

from .models import Note
from .repository import NoteRepository
# [with idempotency]
from .schemas import NewNote, NoteChange, NoteQuery, PublishedNote
# [without idempotency]
from .schemas import NewNote, NoteChange, NoteQuery
# [end]


class NoteService:
    """Writes, reads, changes and deletes notes; each change is committed before it is answered.

    Whose notes, the repository knows.
    """

    def __init__(self, session: AsyncSession, notes: NoteRepository) -> None:
        self._session = session
        self._notes = notes

    # [with idempotency]
    async def write(self, new: NewNote, request: IdempotentRequest | None) -> PublishedNote:
        """Keep a new note; a request that is repeated keeps no second one, and gets the answer of the first.

        Raises:
            RequestInFlight: the same request is being processed.
            KeyReused: the key of the request came with another note before.
        """

        async def write() -> PublishedNote:
            note = Note(title=new.title, text=new.text, is_pinned=new.is_pinned)
            return PublishedNote.model_validate(await self._notes.add(note))

        return await perform_once(self._session, request, PublishedNote, write)
    # [without idempotency]
    async def write(self, new: NewNote) -> Note:
        """Keep a new note."""
        note = Note(title=new.title, text=new.text, is_pinned=new.is_pinned)
        await self._notes.add(note)
        await self._session.commit()
        return note
    # [end]

    async def list(self, query: NoteQuery) -> Slice[Note]:
        """Return a page of the notes.

        Raises:
            InvalidInput: the cursor is not one of this list in this order.
        """
        return await self._notes.list(query)

    async def read(self, note_id: UUID) -> Note:
        """Return a note.

        Raises:
            NotFound: there is none, or the caller may not know it.
        """
        return await self._notes.get(note_id)

    async def change(self, note_id: UUID, seen: SeenVersion, change: NoteChange) -> Note:
        """Change the fields that were sent.

        Raises:
            NotFound: there is none, or the caller may not know it.
            PreconditionFailed: it was changed after the caller read it.
        """
        note = await self._notes.get(note_id)
        seen.require(note)
        sent = change.model_dump(exclude_unset=True)
        note.title = sent.get("title", note.title)
        note.text = sent.get("text", note.text)
        note.is_pinned = sent.get("is_pinned", note.is_pinned)
        await self._session.commit()
        return note

    async def delete(self, note_id: UUID, seen: SeenVersion) -> None:
        """Delete a note: the row stays, and nobody sees it any more.

        Raises:
            NotFound: there is none, or the caller may not know it.
            PreconditionFailed: it was changed after the caller read it.
        """
        note = await self._notes.get(note_id)
        seen.require(note)
        await self._notes.soft_delete(note)
        await self._session.commit()
