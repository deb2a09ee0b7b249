"""What may happen to notes. Nothing here knows HTTP."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.components.database import SeenVersion, Slice

from .models import Note
from .repository import NoteRepository
from .schemas import NewNote, NoteChange, NoteQuery


class NoteService:
    """Writes, reads, changes and deletes the notes of one owner; each change is committed before it is answered."""

    def __init__(self, session: AsyncSession, owner_id: UUID) -> None:
        self._session = session
        self._owner_id = owner_id
        self._notes = NoteRepository(session, owner_id)

    async def write(self, new: NewNote) -> Note:
        """Keep a new note."""
        note = Note(owner_id=self._owner_id, title=new.title, text=new.text, is_pinned=new.is_pinned)
        await self._notes.add(note)
        await self._session.commit()
        return note

    async def list(self, query: NoteQuery) -> Slice[Note]:
        """Return a page of the notes.

        Raises:
            InvalidInput: the cursor is not one of this list in this order.
        """
        return await self._notes.list(query)

    async def read(self, note_id: UUID) -> Note:
        """Return a note.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        return await self._notes.get(note_id)

    async def change(self, note_id: UUID, seen: SeenVersion, change: NoteChange) -> Note:
        """Change the fields that were sent.

        Raises:
            NotFound: there is none, or it is somebody else's.
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
            NotFound: there is none, or it is somebody else's.
            PreconditionFailed: it was changed after the caller read it.
        """
        note = await self._notes.get(note_id)
        seen.require(note)
        await self._notes.soft_delete(note)
        await self._session.commit()
